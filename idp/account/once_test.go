package account_test

import (
	"net/url"
	"sync"
	"testing"

	"github.com/loginunico/loginunico/idp/idptest"
)

// Whoever sends many names of a mother at once would learn the one that the city has.
func TestOfManyAnswersAtOnceOneIsTaken(t *testing.T) {
	t.Parallel()

	h := newHouse(t)
	joaos := h.City.Browser(t)
	h.Person(joao, 1, map[string]string{"name": "João Batista Souza", "email": "joao@example.org"})
	at(t, joaos.SignIn(joaos.Get("/conta/nivel"), joao, idptest.Password), "/conta/nivel")
	start, all := make(chan struct{}), sync.WaitGroup{}
	for _, mother := range []string{"Ana Souza", "Bia Souza", "Clara Souza", "Diva Souza", "Eva Souza", "Flor Souza"} {
		all.Go(func() {
			<-start
			joaos.Post("/conta/nivel", url.Values{"birthdate": {"1970-01-02"}, "mother_name": {mother}})
		})
	}
	close(start)
	all.Wait()
	if n := h.count(`SELECT count(*) FROM (SELECT action FROM audit_pending UNION ALL SELECT action FROM audit_event) a WHERE action = 'registry.update'`); n != 1 {
		t.Errorf("%d of 6 were taken", n)
	}
}
