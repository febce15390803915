package generate

import "strings"

// Given names by the frequency of two generations, most frequent first; what stands at the end is
// drawn seldom. Classic names are those of people born before 1990.
var (
	classicWomen = strings.Fields(`Maria Ana Francisca Antônia Adriana Márcia Sandra Vera Sônia Rita Josefa Cláudia
		Terezinha Aparecida Rosa Marlene Raimunda Luciana Patrícia Juliana Lúcia Fernanda Regina Luzia Joana Neusa
		Marli Conceição Rosângela Eliane Simone Cristiane Fabiana Andréia Daniela Renata Vanessa Sebastiana Edna
		Ivone Helena Célia Margarida Solange Elaine Silvia Tereza Angela Lourdes Benedita Geralda Cleusa Carla
		Mônica Irene Tânia Nair Iracema Odete Zilda Ivanilde Alzira Olga Elza Nilza Denise Rosana Gislaine Inês
		Dirce Dalva Eunice Valéria Viviane Rosemeire Alessandra Marta Nilda Elisabete Magali Jandira Noêmia Ondina
		Wanda Yolanda Zuleide Hilda Leonor Edith Ercília Palmira Carmem Estela Glória Marisa Lurdes Miriam Ester
		Ruth Sueli Vilma Teresinha Adelaide Araci Cecília Emília Filomena Genoveva Guiomar Idalina Jurema Laudelina`)
	modernWomen = strings.Fields(`Maria Ana Júlia Letícia Amanda Beatriz Larissa Gabriela Mariana Bruna Camila Jéssica
		Vitória Isabela Rafaela Luana Alice Laura Sophia Helena Valentina Heloísa Manuela Isadora Lorena Yasmin
		Natália Aline Caroline Thaís Bianca Carolina Eduarda Giovanna Lívia Luiza Clara Cecília Lavínia Emanuelly
		Sarah Nicole Melissa Esther Milena Débora Raquel Priscila Daiane Tatiane Franciele Pâmela Karina Jaqueline
		Michele Daniele Fernanda Vanessa Thayná Stefany Kauany Evelyn Ingrid Andressa Paola Monique Samara Lara
		Marina Agatha Antonella Rebeca Elisa Maitê Liz Aurora Olívia Catarina Pietra Bárbara Viviane Tainá Iara
		Jade Luna Ayla Clarice Stella Malu Ludmila Flávia Suelen Rayssa Mirela Allana Eloá Kamila Nayara Dandara`)
	classicMen = strings.Fields(`José João Antônio Francisco Carlos Paulo Pedro Luiz Marcos Luís Raimundo Sebastião
		Manoel Jorge Marcelo Roberto Edson Márcio Sérgio Geraldo Fábio Ricardo Cláudio Fernando Severino Adriano
		Rogério Joaquim Benedito Mário Luciano Júlio Renato Ronaldo Reginaldo Osvaldo Domingos Valdir Gilberto
		Milton Nelson Wilson Ivan Cícero Rubens Wagner Edvaldo Alexandre André Daniel Vicente Alberto Arlindo
		Waldemar Walter Hélio Orlando Nilton Ademir Valmir Gilson Jair Jurandir Lourival Moacir Natalino Olavo
		Oswaldo Otávio Pascoal Quirino Raul Rui Sílvio Tadeu Ubirajara Valter Vanderlei Zacarias Abel Adão Agnaldo
		Alcides Almir Amauri Aparecido Argemiro Armando Arnaldo Augusto Batista Celso Dário Dirceu Durval Elias
		Ernesto Eugênio Expedito Genésio Getúlio Heitor Inácio Isaías Jaime Laércio Leopoldo Lauro Nestor Nivaldo`)
	modernMen = strings.Fields(`Lucas Gabriel Rafael Mateus Pedro Felipe Gustavo Guilherme João Bruno Vinícius Leonardo
		Daniel Eduardo Rodrigo Thiago Diego Matheus Vítor Miguel Arthur Bernardo Heitor Davi Enzo Lorenzo Samuel
		Nicolas Henrique Murilo Caio Igor Leandro Anderson Douglas Jeferson Wellington Caíque Kauã Luan Yuri Otávio
		Bryan Ryan Benjamin Theo Joaquim Isaac Cauã Emanuel Benício Augusto Erick Raul Danilo Alex Renan Tiago
		Jonathan Marlon Wesley Washington William Michel Robson Cleiton Everton Jackson Jean Kevin Maicon Natan
		Pablo Ruan Tales Uriel Vicente Wallace Yago Ícaro Levi Anthony Noah Gael Ravi Valentim Bento Francisco
		Antônio José Calebe Breno Hugo Ian Iago Márcio Álvaro César Cristiano Denis Fabrício Geovane Hélder Ítalo`)
	secondWomen = strings.Fields(`Aparecida Maria Cristina Lúcia Regina Helena Clara Luiza Fátima Eduarda Beatriz Paula
		Vitória José Carolina Lourdes Cecília Júlia Laura Rita Socorro Conceição Inês Lima Cláudia Teresa Alice`)
	secondMen = strings.Fields(`Carlos Henrique Batista Antônio Roberto Augusto Luiz Eduardo Vitor Paulo Miguel Gabriel
		Pedro Alberto César Francisco Fernando Maria José Aparecido Felipe Lucas Sérgio Guilherme Cláudio`)
)

// Brazil also makes names up: these beginnings and endings give the long tail.
var (
	beginnings  = strings.Fields(`Ed Jos Mar Luc Wal Val Ros Cl Ad Gil Ivan Lind Neid Fran Jan Jo Cris Deb Raf Mic Suel Gen Ges Od`)
	womenEnding = strings.Fields(`ilene iane imara ineide iele ilda inalva ilsa ialva inete icleide ilaine`)
	menEnding   = strings.Fields(`ivaldo inaldo imar ilson ivan ielson imilson erson ivânio inélio`)
)

// Surnames, most frequent first. A particle before a colon goes with the name in most families.
var surnames = strings.Fields(`da:Silva dos:Santos de:Oliveira de:Souza Rodrigues Ferreira Alves Pereira de:Lima Gomes
	da:Costa Ribeiro Martins de:Carvalho de:Almeida Lopes Soares Fernandes Vieira Barbosa da:Rocha Dias do:Nascimento
	de:Andrade Moreira Nunes Marques Machado Mendes de:Freitas Cardoso Ramos Gonçalves Santana Teixeira de:Araújo Pinto
	Correia Cavalcanti Monteiro de:Moura Campos Borges Batista de:Medeiros Macedo de:Miranda de:Barros de:Castro de:Melo
	da:Cunha dos:Reis de:Azevedo Duarte Tavares Coelho de:Brito de:Farias Peixoto da:Fonseca Xavier Sampaio de:Aguiar
	Bezerra Nogueira Guimarães de:Queiroz Pacheco de:Siqueira de:Figueiredo de:Assis da:Cruz Leite de:Rezende de:Toledo
	Vasconcelos de:Matos do:Amaral Antunes Bastos Bueno de:Camargo do:Prado Domingues Esteves Franco de:Godoy Leal
	Lacerda Maia de:Moraes Muniz das:Neves de:Paiva Pires Rangel de:Sales Serra Torres Valente Viana Morais Fogaça
	de:Jesus da:Conceição Evangelista Moraes Simões Sousa Luz Pimentel Chaves Mota Braga Vargas Garcia Rosa Cabral
	Carneiro Dantas Fontes Furtado Gouveia Guedes Holanda Jardim Lago Lobo Maciel Magalhães Maranhão Meireles Mesquita
	Montenegro Padilha Paes Parreira Passos Pedrosa Penteado Pessoa Portela Porto Quadros Quintela Rebouças Rego Rios
	Sabino Saraiva Seabra Severo Silveira Tinoco Trindade Veloso Ventura Veríssimo Vidal Vilela Zanetti Abreu Alencar
	Amorim Aragão Arruda Assunção Ávila Bandeira Barreto Belmonte Bittencourt Boaventura Bonfim Botelho Brandão Caldas
	Calixto Caminha Canto Cerqueira Cordeiro Cortez Coutinho Damasceno Diniz Escobar Espíndola Espinosa Fagundes Falcão
	Feitosa Ferraz Fiúza Flores Fraga França Frazão Gama Girão Gusmão Hilário Inácio Lisboa Loureiro Luna Macieira
	Malheiros Mascarenhas Menezes Moreno Navarro Novaes Ornelas Osório Palhares Pereira-Lima Pinheiro Pontes Prestes
	Proença Rabelo Ramalho Resende Rocha-Lima Romão Salgado Sant'Ana Serpa Sobral Tenório Teles Uchoa Varela Vaz Vilar
	Rossi Bianchi Ferrari Zampieri Bortolotto Dalmolin Mazzini Pellegrini Rigoni Scarpelli Tonello Trevisan Zanella
	Kowalski Nowak Wisniewski Szymanski Kaminski Krupczak Schmidt Müller Schneider Weber Becker Hoffmann Klein Wagner
	Tanaka Yamamoto Nakamura Suzuki Watanabe Sato Kobayashi Oliynyk Petrenko Kowalczyk Haddad Chahine Saliba Mansur`)

// suffixes of the generations in a family (agnomes).
var suffixes = strings.Fields("Júnior Filho Neto")

// Abbreviations that clerks use, by the name they stand for.
var abbreviations = map[string]string{
	"Maria": "Mª", "Francisco": "Fco", "Francisca": "Fca", "Antônio": "Antº", "Aparecida": "Apª", "José": "Jº",
	"Conceição": "Concª", "Rodrigues": "Rodr.", "Fernandes": "Fern.", "Gonçalves": "Gonç.", "Sebastião": "Seb.",
}

// What companies do, and the rest of their names.
var trades = []string{
	"Comércio de Alimentos Ltda", "Construções Ltda", "Transportes e Logística Ltda", "Serviços de Informática Ltda",
	"Materiais de Construção Ltda", "Confecções ME", "Padaria e Confeitaria Ltda", "Farmácia Ltda", "Oficina Mecânica ME",
	"Administradora de Imóveis S.A.", "Clínica Odontológica Ltda", "Móveis & Decoração Ltda", "Papelaria ME",
	"Indústria de Embalagens S.A.", "Restaurante ME", "Consultoria Contábil Ltda",
}
