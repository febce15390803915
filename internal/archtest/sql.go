package archtest

import (
	"context"
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// statement is one SQL text of the project and where it stands.
type statement struct {
	at   string
	text string // as written: @name or $1
}

// sqlArgument is which argument of a method is SQL.
var sqlArgument = map[string]int{"Query": 1, "QueryRow": 1, "Exec": 1, "Queue": 0}

var looksLikeSQL = regexp.MustCompile(`(?s)^\s*(SELECT|INSERT|UPDATE|DELETE|MERGE|WITH|TRUNCATE|LOCK TABLE|CREATE TABLE|CREATE INDEX|ALTER|DROP)\s`)

// holdsSQL are the packages that work on databases of their own making, apart from the schema.
func holdsSQL(s source) bool {
	switch s.dir() {
	case "migrations", "internal/pg", "internal/pgcluster", "internal/testpg", "internal/archtest", "internal/bench":
		return true
	}
	return false
}

func isStore(s source) bool { return strings.HasPrefix(s.name(), "store") && !s.test() }

// statements returns all SQL of the stores, and what is wrong with how it stands there, or with
// its standing elsewhere. Constants of the same package may be joined into a statement.
func statements(all []source) (found []statement, faults []string) {
	constants := constantsByDir(all)
	for _, s := range all {
		if s.test() || holdsSQL(s) {
			continue
		}
		r := reader{source: s, constants: constants[s.dir()]}
		ast.Inspect(s.file, r.visit)
		found, faults = append(found, r.found...), append(faults, r.faults...)
	}
	return found, faults
}

// reader collects from one file.
type reader struct {
	source
	constants map[string]ast.Expr
	found     []statement
	faults    []string
}

// visit looks at each call in turn.
func (r *reader) visit(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return true
	}
	if method, ok := call.Fun.(*ast.SelectorExpr); ok {
		if i, ok := sqlArgument[method.Sel.Name]; ok && len(call.Args) > i {
			r.database(call.Args[i])
			return true
		}
	}
	for _, arg := range call.Args { // a helper that takes SQL
		if text, ok := r.constant(arg, 0); ok && looksLikeSQL.MatchString(text) {
			r.keep(arg, text)
		}
	}
	return true
}

// database looks at the SQL argument of a database's method.
func (r *reader) database(arg ast.Expr) {
	text, ok := r.constant(arg, 0)
	switch {
	case ok && (looksLikeSQL.MatchString(text) || isStore(r.source)):
		r.keep(arg, text)
	case !ok && isStore(r.source) && !isName(arg): // a name is a helper's parameter: its callers are read
		r.faults = append(r.faults, r.at(arg.Pos())+": SQL must be a literal, so that it can be prepared here")
	}
}

func (r *reader) keep(arg ast.Expr, text string) {
	r.found = append(r.found, statement{r.at(arg.Pos()), text})
	if !isStore(r.source) && !strings.HasPrefix(r.path, "internal/") {
		r.faults = append(r.faults, r.at(arg.Pos())+": SQL belongs into a store*.go")
	}
}

func isName(e ast.Expr) bool {
	_, ok := e.(*ast.Ident)
	return ok
}

// constant evaluates literals, constants of the package, and their sums.
func (r *reader) constant(e ast.Expr, depth int) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.ParenExpr:
		return r.constant(e.X, depth)
	case *ast.Ident:
		value, ok := r.constants[e.Name]
		if !ok || depth > 8 {
			return "", false
		}
		return r.constant(value, depth+1)
	case *ast.BinaryExpr:
		x, okX := r.constant(e.X, depth)
		y, okY := r.constant(e.Y, depth)
		return x + y, okX && okY && e.Op == token.ADD
	}
	return "", false
}

// constantsByDir returns the constants of each directory, by name.
func constantsByDir(all []source) map[string]map[string]ast.Expr {
	found := map[string]map[string]ast.Expr{}
	for _, s := range all {
		of := found[s.dir()]
		if of == nil {
			of = map[string]ast.Expr{}
			found[s.dir()] = of
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
				constantsOf(d, of)
			}
			return true
		})
	}
	return found
}

func constantsOf(d *ast.GenDecl, into map[string]ast.Expr) {
	for _, spec := range d.Specs {
		values := spec.(*ast.ValueSpec) // all a const declaration holds
		for i, name := range values.Names {
			if i < len(values.Values) {
				into[name.Name] = values.Values[i]
			}
		}
	}
}

// prepare asks PostgreSQL what it thinks of a statement, with its names numbered as pgx does.
func prepare(ctx context.Context, conn *pgx.Conn, st statement) error {
	text, _, err := pgx.NamedArgs{}.RewriteQuery(ctx, conn, st.text, nil)
	if err != nil {
		return fmt.Errorf("%s: %w", st.at, err)
	}
	if _, err := conn.Prepare(ctx, "", text); err != nil {
		return fmt.Errorf("%s: %w\n%s", st.at, err, strings.TrimSpace(st.text))
	}
	return nil
}
