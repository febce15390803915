package account

import (
	"context"

	"github.com/loginunico/loginunico/idp/factor"
	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/themes"
)

// questionForms are offered where the city wants the secret question.
var questionForms = []form{
	{path: "/pergunta", view: questionView("question"), do: (*Handler).setQuestion},
	{path: "/pergunta/remover", view: questionView("remove_question"), do: (*Handler).removeQuestion},
}

func questionView(kind string) func(*Handler, context.Context, *turn) (themes.View, error) {
	return func(h *Handler, _ context.Context, t *turn) (themes.View, error) {
		if !h.Recoveries.Questions() || kind == "remove_question" && !t.e.Question {
			return nil, factor.ErrFactorNotFound
		}
		return themes.Change{Kind: kind}, nil
	}
}

func (h *Handler) setQuestion(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	err := h.Recoveries.SetQuestion(ctx, tx, t.known.PersonID, t.value("question"), t.value("answer"))
	return done{event: factor.Event{Kind: factor.QuestionChanged}}, err
}

func (h *Handler) removeQuestion(ctx context.Context, tx pg.Tx, t *turn) (done, error) {
	return done{event: factor.Event{Kind: factor.QuestionChanged}}, factor.RemoveQuestion(ctx, tx, t.known.PersonID)
}
