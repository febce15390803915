package notice

import (
	"context"
	"strconv"
	"time"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// pathLevel is where a citizen sees why their level is what it is.
const pathLevel = "/conta/nivel"

// Level is what became of a trust level, or will.
type Level struct {
	From, To int
	At       time.Time // when
	Rested   int       // the level of the proof that ended: message level.<Rested> names it
	Revoked  bool      // it was taken away; false: it was over
}

// LevelFell tells that a level is lower: what ended, why, and what to do.
func (n *Notices) LevelFell(a Asker, l Level) func(context.Context, pg.Tx, factor.Destination) error {
	why := "level_fell.expired"
	if l.Revoked {
		why = "level_fell.revoked"
	}
	return n.level(a, "level_fell", why, l)
}

// LevelEnds warns that a level will be lower from an instant on.
func (n *Notices) LevelEnds(a Asker, l Level) func(context.Context, pg.Tx, factor.Destination) error {
	return n.level(a, "level_ends", "level_ends.why", l)
}

func (n *Notices) level(a Asker, kind, why string, l Level) func(context.Context, pg.Tx, factor.Destination) error {
	return func(ctx context.Context, tx pg.Tx, to factor.Destination) error {
		link := n.url(pathLevel)
		if to.Way == factor.WaySMS {
			return n.tell(ctx, tx, a, to.Address, "sms."+kind, link)
		}
		args, err := n.levelWords(a.Lang, why, l)
		if err != nil {
			return err
		}
		args["Link"] = link
		return n.letter(ctx, tx, a.Lang, kind, to.Address, args)
	}
}

func (n *Notices) levelWords(lang, why string, l Level) (map[string]any, error) {
	rested := "level." + strconv.Itoa(l.Rested)
	proof, err := n.themes.Message(lang, rested, nil)
	if err != nil {
		return nil, err
	}
	how, err := n.themes.Message(lang, rested+".raise", nil)
	if err != nil {
		return nil, err
	}
	because, err := n.themes.Message(lang, why, map[string]any{"Proof": proof, "When": n.themes.Moment(lang, l.At)})
	return map[string]any{"From": l.From, "To": l.To, "Why": because, "How": how}, err
}

// LevelChanged is what a service may show its citizen of it, in every language.
func (n *Notices) LevelChanged(l Level) (map[string]string, error) {
	words := map[string]string{}
	for _, lang := range themes.Languages {
		text, err := n.themes.Message(lang, "level_changed", map[string]any{"From": l.From, "To": l.To})
		if err != nil {
			return nil, err
		}
		words[lang] = text
	}
	return words, nil
}
