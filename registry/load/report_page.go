package load

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"time"
)

//go:embed report.html
var pageText string

var page = template.Must(template.New("report").Parse(pageText))

type pageView struct {
	Title  string
	Lead   string
	About  [][2]string
	Tables []table
	Loads  []loadRow
	List   bool
}

type loadRow struct {
	ID, Name, Sources, Began, State, Records string
	Ended                                    bool // has a report
}

// WritePage writes the report as a page of its own: counts and no personal data, no scripts, its
// style inside.
func (r *Report) WritePage(w io.Writer) error {
	return page.Execute(w, pageView{Title: "Load: " + r.Name, Lead: r.Line(), About: r.about(), Tables: r.tables()})
}

// WriteList writes the page that lists loads, each with a link to its report, /loads/{id}.
func WriteList(w io.Writer, loads []Load) error {
	v := pageView{Title: "Loads of the registry", List: true}
	for _, l := range loads {
		v.Loads = append(v.Loads, loadRow{ID: l.ID.String(), Name: l.Name, Sources: strings.Join(l.Sources, ", "),
			Began: l.Started.UTC().Format("2006-01-02 15:04"), State: l.State(), Records: grouped(l.Records), Ended: l.Finished != nil})
	}
	return page.Execute(w, v)
}

// State is how far a load has come.
func (l Load) State() string {
	if l.Finished == nil {
		return "not finished"
	}
	return "done in " + l.Finished.Sub(l.Started).Round(10*time.Millisecond).String()
}
