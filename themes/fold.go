package themes

import (
	"html/template"
	"text/template/parse"
)

// fold writes the messages and asset addresses that are the same in every rendering of a page into
// its template: {{t "skip"}} becomes the text itself. Most actions of a page are such,
// and each was called and escaped at every rendering.
//
// It runs before html/template looks at the page. Messages stand only where text or a quoted
// attribute is, which its escaper would escape the same way.
func (r *Renderer) fold(t *template.Template, c *catalog) {
	for _, one := range t.Templates() {
		if one.Tree != nil {
			r.foldList(one.Tree.Root, c)
		}
	}
}

func (r *Renderer) foldList(list *parse.ListNode, c *catalog) {
	if list == nil {
		return
	}
	for i, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			if text, ok := r.constant(n.Pipe, c); ok {
				list.Nodes[i] = &parse.TextNode{NodeType: parse.NodeText, Pos: n.Pos, Text: []byte(template.HTMLEscapeString(text))}
			}
		case *parse.IfNode:
			r.foldBranches(&n.BranchNode, c)
		case *parse.RangeNode:
			r.foldBranches(&n.BranchNode, c)
		case *parse.WithNode:
			r.foldBranches(&n.BranchNode, c)
		}
	}
}

func (r *Renderer) foldBranches(n *parse.BranchNode, c *catalog) {
	r.foldList(n.List, c)
	r.foldList(n.ElseList, c)
}

// constant is the value of {{t "id"}} and {{asset "name"}}, where it is known already.
func (r *Renderer) constant(pipe *parse.PipeNode, c *catalog) (text string, ok bool) {
	if len(pipe.Decl) > 0 || len(pipe.Cmds) != 1 || len(pipe.Cmds[0].Args) != 2 {
		return "", false
	}
	function, isFunction := pipe.Cmds[0].Args[0].(*parse.IdentifierNode)
	argument, isText := pipe.Cmds[0].Args[1].(*parse.StringNode)
	if !isFunction || !isText {
		return "", false
	}
	switch function.Ident {
	case "t":
		text, ok = c.ready[argument.Text]
	case "asset":
		var err error
		text, err = r.url(argument.Text)
		ok = err == nil
	}
	return text, ok
}
