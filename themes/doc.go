// Package themes turns views into the pages citizens read.
//
// It owns the layout, one template per View, the messages in Brazilian Portuguese, Spanish and
// English, the stylesheet, the small script, and each city's look and words under city/. It knows
// nothing of requests, sessions or the database: handlers fill a Frame and a View (views.go) and
// send the bytes of Render with the policy of CSP.
//
// A city is a folder: theme.json (names, contacts, desks), theme.css (custom properties only),
// logo.svg, strings.<lang>.json (its own wording of any message). Load joins the embedded folder
// with one of the same name in the overlay directory, file by file, and refuses what would hurt a
// reader: an unknown property, colours without contrast, a message without its placeholders.
//
// Routes it links to and others serve: /idioma, /contraste, /privacidade, /acessibilidade, /conta.
// The route it serves: /estatico/ (Static).
package themes
