package themes

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

// catalog holds the messages of one language.
type catalog struct {
	lang      string
	localizer *i18n.Localizer
	messages  map[string]*i18n.Message
	ready     map[string]string // messages that need nothing but the city, already written
	city      map[string]any
}

// counts are the placeholders that choose between singular and plural, in order of precedence.
var counts = []string{"Count", "Minutes", "Left"}

// strict makes a placeholder without a value an error.
var strict = &i18ntemplate.TextParser{Option: "missingkey=error"}

// placeholder is the only template action a message may hold.
var placeholder = regexp.MustCompile(`{{\.([A-Za-z]+)}}`)

// readMessages gives the catalogs by language: the base messages, the city's wording over them.
func readMessages(files fs.FS, city City) (map[string]*catalog, error) {
	bundle := i18n.NewBundle(language.BrazilianPortuguese)
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	all, errs := map[string]*catalog{}, []error{}
	for _, lang := range Languages {
		c := &catalog{lang: lang, messages: map[string]*i18n.Message{}, city: city.args()}
		errs = append(errs, c.readBase(bundle), c.readOwn(bundle, files))
		c.localizer = i18n.NewLocalizer(bundle, lang)
		all[lang] = c
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, c := range all {
		errs = append(errs, c.prepare())
	}
	return all, errors.Join(errs...)
}

// readBase reads the messages of every page, and the files of one subject beside them:
// <lang>.json, <lang>.<subject>.json.
func (c *catalog) readBase(bundle *i18n.Bundle) error {
	parts, err := fs.Glob(base, "messages/"+c.lang+".*json")
	if err != nil || len(parts) == 0 {
		return errors.Join(err, fmt.Errorf("no messages/%s.json", c.lang))
	}
	var errs []error
	for _, part := range parts {
		errs = append(errs, c.readPart(bundle, part))
	}
	return errors.Join(errs...)
}

func (c *catalog) readPart(bundle *i18n.Bundle, path string) error {
	raw, err := base.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := bundle.ParseMessageFileBytes(raw, c.lang+".json")
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for _, m := range file.Messages {
		if c.messages[m.ID] != nil {
			return fmt.Errorf("%s: %s is in another file already", path, m.ID)
		}
		c.messages[m.ID] = m
	}
	return nil
}

// readOwn puts the city's wording over the base. It may reword a message, not invent one, and it
// may leave a placeholder out, not add one.
func (c *catalog) readOwn(bundle *i18n.Bundle, files fs.FS) error {
	name := "strings." + c.lang + ".json"
	raw, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	file, err := i18n.ParseMessageFileBytes(raw, c.lang+".json", map[string]i18n.UnmarshalFunc{"json": json.Unmarshal})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	errs := []error{}
	for _, m := range file.Messages {
		if err := fits(m, c.messages[m.ID]); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s: %w", name, m.ID, err))
			continue
		}
		c.messages[m.ID] = m
		errs = append(errs, bundle.AddMessages(language.MustParse(c.lang), m))
	}
	return errors.Join(errs...)
}

func fits(own, base *i18n.Message) error {
	if base == nil {
		return errors.New("no such message")
	}
	if (own.One == "") != (base.One == "") {
		return errors.New("singular and plural must be as in the base message")
	}
	known := append(placeholders(base), sortedKeys(City{}.args())...)
	for _, p := range placeholders(own) {
		if !slices.Contains(known, p) {
			return fmt.Errorf("unknown placeholder %s", p)
		}
	}
	return nil
}

// placeholders gives the names a message needs, sorted, each once.
func placeholders(m *i18n.Message) []string {
	names := map[string]bool{}
	for _, found := range placeholder.FindAllStringSubmatch(m.One+" "+m.Other, -1) {
		names[found[1]] = true
	}
	return sortedKeys(names)
}

// prepare writes the messages that need nothing but the city, once for all requests.
func (c *catalog) prepare() error {
	c.ready = map[string]string{}
	var errs []error
	for id, m := range c.messages {
		if m.One != "" || slices.ContainsFunc(placeholders(m), func(p string) bool { return c.city[p] == nil }) {
			continue
		}
		text, err := c.localize(id, nil)
		if err != nil {
			errs = append(errs, err)
		}
		c.ready[id] = text
	}
	return errors.Join(errs...)
}

// text gives one message with its placeholders filled.
func (c *catalog) text(id string, args map[string]any) (string, error) {
	if s, ok := c.ready[id]; ok && args["City"] == nil {
		return s, nil
	}
	return c.localize(id, args)
}

func (c *catalog) localize(id string, args map[string]any) (string, error) {
	m, ok := c.messages[id]
	if !ok {
		return "", fmt.Errorf("no message %q in %s", id, c.lang)
	}
	data := maps.Clone(c.city)
	maps.Copy(data, args)
	config := &i18n.LocalizeConfig{MessageID: id, TemplateData: data, TemplateParser: strict}
	if m.One != "" {
		for _, name := range counts {
			if config.PluralCount == nil {
				config.PluralCount = data[name]
			}
		}
	}
	text, err := c.localizer.Localize(config)
	if err != nil {
		return "", fmt.Errorf("message %q in %s: %w", id, c.lang, err)
	}
	return text, nil
}

func (c *catalog) has(id string) bool { return c.messages[id] != nil }

// Message gives one message for use outside pages: mails, consent records.
//
//	lang  one of Languages; another reads as the default
//	args  values of the placeholders; City, CityShort, DPO and DPOEmail are there already
//
// Errors: the message does not exist, or an argument is missing.
func (r *Renderer) Message(lang, id string, args map[string]any) (string, error) {
	return r.catalogs[known(lang)].text(id, args)
}

// Text is Message for ids fixed in the code: a fault is logged and reads as "".
func (r *Renderer) Text(lang, id string, args map[string]any) string {
	text, err := r.Message(lang, id, args)
	if err != nil {
		slog.Error("message not found", "id", id, "lang", known(lang), "error", err)
	}
	return text
}

// Has tells whether a message exists; all languages have the same ids.
func (r *Renderer) Has(id string) bool { return r.catalogs[Languages[0]].has(id) }

// IDs lists the messages whose ids begin so, in order.
func (r *Renderer) IDs(prefix string) []string {
	return slices.DeleteFunc(sortedKeys(r.catalogs[Languages[0]].messages), func(id string) bool { return !strings.HasPrefix(id, prefix) })
}
