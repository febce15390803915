package generate

// empresas is the register of companies: its records are organizations, with a CNPJ.
func empresas() *source {
	return &source{name: "empresas", index: companies, form: asWritten, dates: isoDate, separator: ';', header: true, newline: "\r\n",
		utf16: true, undecodable: lineColumns, nameColumn: 2, scatter: 48_271,
		keys: byNumber, columns: []column{
			{"INSCRICAO", putKey}, {"CNPJ", putCNPJ}, {"RAZAO_SOCIAL", putTrade}, {"NOME_FANTASIA", putTradeName}, {"ABERTURA", putBirth},
			{"NATUREZA", putNature}, {"SITUACAO", putCompanySituation}, {"LOGRADOURO", putStreet}, {"NUMERO", putNumber},
			{"COMPLEMENTO", putComplement}, {"BAIRRO", putDistrict}, {"CIDADE", putCity}, {"UF", putState}, {"CEP", putPointedCEP},
			{"IBGE", putCode}, {"DDD", putAreaCode}, {"FONE", putSubscriber}, {"EMAIL", putMail}, {"ATUALIZADO", putOn}}}
}

// company draws whether somebody of the household has a company, and fills v with its record. A
// company has the number of the woman of the household.
func (w *world) company(v *view, house *[household]person, n news) bool {
	p := &house[0]
	r := mixed(w.seed, p.n, 'E')
	if !r.chance(900) {
		return false
	}
	*v = view{person: p, base: sources[companies], key: sources[companies].keyOf(p.n/household, 0), written: p.name,
		born: dayIn(&r, max(1990, p.birth.year()+18), 2026), tel: mobileOf(&r), lives: w.home(&r), line: lineWhole, given: givenRight}
	v.born = min(v.born, today)
	v.on = max(dayIn(&r, 2018, 2025), v.born)
	v.cpfText = cnpjOf(w.offset%100_000_000, p.n/household)
	v.cpfLen = len(v.cpfText)
	if v.situation = [8]uint8{regular, regular, regular, regular, regular, regular, suspended, cancelled}[r.below(8)]; r.chance(120) {
		v.given = givenFalse
		v.cpfText[13] = '0' + (v.cpfText[13]-'0'+1)%10
	}
	v.brokenAt = r.next()
	if r.chance(10) {
		v.line = lineColumns
	}
	w.later(v, n%died)
	return true
}

func putCNPJ(l *line, v *view) {
	t := v.cpfText
	if v.brokenAt%3 == 0 {
		l.b = append(l.b, t[:]...)
		return
	}
	l.b = append(l.b, t[0], t[1], '.', t[2], t[3], t[4], '.', t[5], t[6], t[7], '/', t[8], t[9], t[10], t[11], '-', t[12], t[13])
}

// putTrade writes the surname of the owner and what the company does.
func putTrade(l *line, v *view) {
	l.str(l.words[l.base.form][v.name.words[v.name.n-1]])
	l.b = append(l.b, ' ')
	l.text(&l.trades[v.brokenAt/3%uint64(len(trades))])
}

func putTradeName(l *line, v *view) {
	if v.brokenAt/7%2 == 0 {
		l.str("Casa ")
		l.str(l.words[l.base.form][v.name.words[v.name.n-1]])
	}
}

// putNature writes a código de natureza jurídica: limited company, or a trader on their own.
func putNature(l *line, v *view) {
	if v.brokenAt/5%3 == 0 {
		l.str("2135")
		return
	}
	l.str("2062")
}

// putCompanySituation writes the Receita's codes for a CNPJ.
func putCompanySituation(l *line, v *view) {
	switch v.situation {
	case suspended:
		l.str("03")
	case cancelled:
		l.str("08")
	default:
		l.str("02")
	}
}
