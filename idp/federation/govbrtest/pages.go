package govbrtest

import "html/template"

const head = `<!doctype html><html lang="pt-BR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{{template "title" .}} · gov.br de mentira</title>
<style>body{font:18px/1.5 sans-serif;margin:0;color:#222}main{max-width:30rem;margin:2rem auto;padding:0 1rem}
header{background:#071d41;color:#fff;padding:.6rem 1rem}button,input{font:inherit;padding:.5rem .8rem;margin:.2rem 0;width:100%;box-sizing:border-box;text-align:left}
.main{background:#1351b4;color:#fff;border:0;border-radius:1.5rem;text-align:center}</style></head>
<body><header><strong>gov.br</strong> de mentira: só existe nesta demonstração</header><main><h1>{{template "title" .}}</h1>`

const foot = `</main></body></html>`

func parse(text string) *template.Template { return template.Must(template.New("page").Parse(text)) }

var loginPage = parse(`{{define "title"}}Quem é você?{{end}}` + head + `
{{if .Wrong}}<p role="alert">Não há conta gov.br deste CPF aqui.</p>{{end}}
<form method="post" action="/login"><input type="hidden" name="id" value="{{.ID}}">
{{range .People}}<button id="person-{{.CPF}}" name="cpf" value="{{.CPF}}">{{.Name}} <small>({{.Level}})</small></button>
{{end}}</form>` + foot)

var homePage = parse(`{{define "title"}}Contas gov.br desta demonstração{{end}}` + head + `
<ul>{{range .People}}<li>{{.Name}}, CPF {{.CPF}} ({{.Level}})</li>{{end}}</ul>
<p>Nenhuma pede senha. Entre por um serviço da cidade, com o botão gov.br.</p>` + foot)

var consentPage = parse(`{{define "title"}}Autorização de uso de dados pessoais{{end}}` + head + `
<p><strong>{{.Person.Name}}</strong> ({{.Person.Level}})</p><p>Este serviço precisa usar as informações pessoais do seu cadastro:</p>
<ul>{{range .Scopes}}<li>{{.}}</li>{{end}}</ul>
<form method="post" action="/consent"><input type="hidden" name="id" value="{{.ID}}">
<button class="main" id="allow" name="decision" value="allow">Autorizar</button>
<button id="deny" name="decision" value="deny">Negar</button>
<button id="other" name="decision" value="other">Usar outra conta</button></form>` + foot)

var refusalPage = parse(`{{define "title"}}Não foi possível continuar{{end}}` + head + `<p>{{.Code}}</p>` + foot)

var raisePage = parse(`{{define "title"}}Aumentar o nível da conta{{end}}` + head + `
<p>{{.Person.Name}}: {{.Person.Level}}. Pedido: {{.Levels}}</p>
<form method="post" action="/raise"><button class="main" id="raise">Reconhecer o rosto (de mentira)</button></form>` + foot)
