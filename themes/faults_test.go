package themes

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// faults lists what is wrong with a page: structure, accessibility, what the policy forbids.
func faults(page, lang string) []string {
	all := unclosed(page)
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return append(all, err.Error())
	}
	c := census{ids: map[string]int{}, labels: map[string]bool{}}
	c.walk(root)
	all = append(all, c.faults...)
	if c.h1 != 1 {
		all = append(all, fmt.Sprintf("%d h1", c.h1))
	}
	if c.lang != lang {
		all = append(all, "lang is "+c.lang)
	}
	for _, id := range c.wanted {
		if c.ids[id] == 0 {
			all = append(all, "no element has id "+id)
		}
	}
	for id, n := range c.ids {
		if n > 1 {
			all = append(all, fmt.Sprintf("id %s is there %d times", id, n))
		}
	}
	for _, id := range c.inputs {
		if !c.labels[id] {
			all = append(all, "no label for input "+id)
		}
	}
	return all
}

// unclosed reports end tags that do not match, which the parser would mend in silence.
func unclosed(page string) []string {
	void := []string{"meta", "link", "img", "input", "br", "hr"}
	var open, all []string
	z := html.NewTokenizer(strings.NewReader(page))
	for {
		switch z.Next() {
		case html.ErrorToken:
			if z.Err() != io.EOF || len(open) > 0 {
				all = append(all, fmt.Sprintf("not closed: %v", open))
			}
			return all
		case html.StartTagToken:
			if name, _ := z.TagName(); !slices.Contains(void, string(name)) {
				open = append(open, string(name))
			}
		case html.EndTagToken:
			name, _ := z.TagName()
			if len(open) == 0 || open[len(open)-1] != string(name) {
				return append(all, fmt.Sprintf("</%s> inside %v", name, open))
			}
			open = open[:len(open)-1]
		}
	}
}

// census gathers what faults needs in one walk.
type census struct {
	ids            map[string]int
	labels         map[string]bool
	inputs, wanted []string
	h1             int
	lang           string
	faults         []string
}

func (c *census) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *census) walk(n *html.Node) {
	switch n.Type {
	case html.ElementNode:
		c.element(n)
		for _, a := range n.Attr {
			c.attribute(n, a.Key, a.Val)
		}
	case html.TextNode:
		c.text(n.Data)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		c.walk(child)
	}
}

func (c *census) element(n *html.Node) {
	switch n.Data {
	case "html":
		c.lang = attr(n, "lang")
	case "h1":
		c.h1++
		fallthrough
	case "h2", "title", "button", "a", "label", "legend", "li", "p":
		if strings.TrimSpace(content(n)) == "" {
			c.fault("<%s> is empty", n.Data)
		}
	case "style":
		c.fault("<style> element")
	case "script":
		if attr(n, "src") == "" || content(n) != "" {
			c.fault("inline script")
		}
	case "img":
		if _, ok := lookup(n, "alt"); !ok {
			c.fault("image without alt")
		}
	case "select":
		c.inputs = append(c.inputs, attr(n, "id"))
	case "input":
		if _, hidden := lookup(n, "hidden"); !hidden && attr(n, "type") != "hidden" {
			c.inputs = append(c.inputs, attr(n, "id"))
		}
	case "form":
		if _, ok := lookup(n, "novalidate"); !ok && strings.Contains(markup(n), "<label") {
			c.fault("a form with fields lacks novalidate")
		}
	}
}

func (c *census) attribute(n *html.Node, key, val string) {
	switch {
	case key == "style" || strings.HasPrefix(key, "on"):
		c.fault("<%s> has attribute %s", n.Data, key)
	case key == "id":
		c.ids[val]++
	case key == "for":
		c.labels[val] = true
		c.wanted = append(c.wanted, val)
	case key == "aria-describedby", key == "aria-labelledby":
		c.wanted = append(c.wanted, strings.Fields(val)...)
	case key == "tabindex" && val != "-1":
		c.fault("tabindex %s", val)
	case strings.Contains(val, "ZgotmplZ"), strings.HasPrefix(val, "javascript:"):
		c.fault("%s=%s", key, val)
	case key == "href" && len(val) > 1 && val[0] == '#':
		c.wanted = append(c.wanted, val[1:])
	}
}

func (c *census) text(s string) {
	if strings.Contains(s, "<no value>") || messageID.MatchString(s) {
		c.fault("text %q", strings.TrimSpace(s))
	}
}

func attr(n *html.Node, key string) string { v, _ := lookup(n, key); return v }

func lookup(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func content(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	var b strings.Builder
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		b.WriteString(content(child))
	}
	return b.String()
}

func markup(n *html.Node) string {
	var b strings.Builder
	html.Render(&b, n)
	return b.String()
}

// find renders a page and gives the first element that fits.
func find(t *testing.T, r *Renderer, f Frame, v View, fits func(*html.Node) bool) *html.Node {
	t.Helper()
	out, err := r.Render(f, v)
	if err != nil {
		t.Fatal(err)
	}
	root, err := html.Parse(strings.NewReader(string(out)))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && fits(n) {
			return n
		}
	}
	t.Fatal("the page has no such element")
	return nil
}
