package match_test

// Names and how many in 10,000 people of their sex (given names) or of all (surnames) bear them:
// IBGE, Nomes no Brasil, Censo 2022 for the commonest, rounded and estimated further down. They
// feed the generator and default.json.
var femaleNames = map[string]int{
	"Maria": 1180, "Ana": 378, "Francisca": 64, "Antônia": 52, "Adriana": 52, "Juliana": 52, "Márcia": 50, "Fernanda": 49,
	"Patrícia": 48, "Aline": 47, "Sandra": 43, "Camila": 43, "Amanda": 43, "Bruna": 43, "Jéssica": 42, "Letícia": 42,
	"Júlia": 42, "Luciana": 40, "Vanessa": 39, "Mariana": 38, "Gabriela": 37, "Vera": 34, "Vitória": 34, "Larissa": 33,
	"Cláudia": 33, "Beatriz": 32, "Rita": 32, "Luana": 31, "Sônia": 31, "Renata": 30, "Eliane": 30, "Josefa": 29,
	"Simone": 28, "Natália": 28, "Cristiane": 27, "Carla": 27, "Débora": 26, "Rosângela": 26, "Jaqueline": 25, "Rosa": 25,
	"Daniela": 24, "Aparecida": 24, "Marlene": 23, "Terezinha": 23, "Raimunda": 22, "Andréia": 22, "Fabiana": 22, "Lúcia": 21,
	"Raquel": 21, "Angela": 20, "Rafaela": 20, "Joana": 20, "Luzia": 19, "Elaine": 19, "Daniele": 19, "Regina": 18,
	"Daiane": 17, "Alessandra": 17, "Isabela": 17, "Tatiane": 16, "Helena": 16, "Sabrina": 15, "Viviane": 15, "Sebastiana": 13,
	"Roberta": 13, "Tereza": 12, "Carolina": 12, "Sofia": 12, "Laura": 12, "Alice": 12, "Valentina": 9, "Lorena": 8,
	"Thaís": 11, "Michele": 10, "Kelly": 9, "Elisabete": 9, "Cecília": 7, "Heloísa": 7, "Yasmin": 8, "Zilda": 5,
	"Iracema": 3, "Jurema": 2, "Dulce": 3, "Esmeralda": 1, "Ondina": 1, "Zuleica": 1, "Eulália": 1, "Quitéria": 1,
}

var maleNames = map[string]int{
	"José": 520, "João": 345, "Antônio": 224, "Francisco": 166, "Carlos": 150, "Paulo": 142, "Pedro": 142, "Lucas": 130,
	"Luiz": 111, "Marcos": 110, "Luís": 93, "Gabriel": 110, "Rafael": 90, "Daniel": 78, "Marcelo": 70, "Bruno": 68,
	"Eduardo": 66, "Felipe": 65, "Raimundo": 58, "Rodrigo": 60, "Manoel": 55, "Mateus": 58, "Gustavo": 55, "Guilherme": 52,
	"Miguel": 60, "Arthur": 50, "Leonardo": 45, "André": 45, "Fernando": 44, "Fábio": 43, "Tiago": 45, "Thiago": 40,
	"Sebastião": 40, "Márcio": 40, "Diego": 37, "Vinícius": 37, "Ricardo": 36, "Jorge": 35, "Alexandre": 35, "Vitor": 34,
	"Leandro": 34, "Roberto": 33, "Sérgio": 31, "Cláudio": 30, "Geraldo": 29, "Anderson": 28, "Adriano": 27, "Matheus": 30,
	"Edson": 24, "Caio": 20, "Igor": 18, "Davi": 45, "Henrique": 30, "Samuel": 28, "Benedito": 14, "Joaquim": 17,
	"Wesley": 17, "Wellington": 17, "Valdir": 10, "Vanderlei": 9, "Walter": 11, "Osvaldo": 10, "Nelson": 12, "Rubens": 7,
	"Severino": 15, "Cícero": 12, "Damião": 4, "Cosme": 3, "Yuri": 9, "Kauã": 7, "Jhonatan": 5, "Agenor": 2,
	"Otávio": 8, "Silvio": 7, "Getúlio": 2, "Hermes": 2, "Zeferino": 1, "Aristides": 1, "Epaminondas": 1, "Astolfo": 1,
}

var surnames = map[string]int{
	"Silva": 1676, "Santos": 1052, "Oliveira": 577, "Souza": 453, "Pereira": 339, "Ferreira": 307, "Lima": 300, "Alves": 284,
	"Rodrigues": 267, "Costa": 239, "Gomes": 190, "Sousa": 170, "Ribeiro": 168, "Martins": 165, "Carvalho": 140, "Almeida": 140,
	"Barbosa": 130, "Soares": 115, "Nascimento": 115, "Lopes": 110, "Araújo": 105, "Vieira": 105, "Fernandes": 100, "Moreira": 90,
	"Dias": 90, "Cardoso": 80, "Rocha": 80, "Andrade": 78, "Mendes": 78, "Nunes": 75, "Batista": 75, "Teixeira": 72, "Gonçalves": 95,
	"Marques": 65, "Machado": 62, "Santana": 60, "Freitas": 58, "Cavalcante": 40, "Melo": 55, "Miranda": 38, "Borges": 45,
	"Ramos": 50, "Monteiro": 48, "Moura": 42, "Castro": 42, "Campos": 42, "Pinto": 40, "Cunha": 40, "Correia": 30, "Farias": 32,
	"Reis": 45, "Duarte": 33, "Medeiros": 32, "Barros": 40, "Azevedo": 28, "Coelho": 28, "Queiroz": 18, "Mendonça": 18, "Lourenço": 14,
	"Assunção": 8, "Conceição": 40, "Jesus": 60, "Brito": 28, "Siqueira": 17, "Amaral": 16, "Bezerra": 25, "Figueiredo": 14,
	"Zampieri": 1, "Schneider": 3, "Tanaka": 2, "Bianchi": 2, "Rossi": 3, "Muller": 2, "Yamamoto": 1, "Haddad": 1, "Kowalski": 1,
	"Vasconcelos": 9, "Albuquerque": 8, "Bragança": 1, "Galvão": 5, "Peixoto": 6, "Bittencourt": 3, "Caldas": 4, "Quaresma": 1,
	"Prates": 2, "Toledo": 4, "Zanella": 1, "Fontoura": 1, "Guedes": 5, "Holanda": 4, "Lacerda": 5, "Paixão": 4, "Sodré": 1, "Tavares": 25,
}
