package outbox

import (
	"context"
	"strconv"
	"time"

	"github.com/loginunico/loginunico/internal/sms"
)

// Name makes the outbox a carrier of texts.
func (*Outbox) Name() string { return "outbox" }

// Send keeps a text, refusing what a real carrier would. It answers at once and tells no status.
func (o *Outbox) Send(_ context.Context, m sms.Message) (sms.Receipt, error) {
	if err := m.Check(); err != nil {
		return sms.Receipt{}, err
	}
	id := o.add(Message{Kind: SMS, MessageID: m.ID.String(), To: []string{m.To.E164()}, Text: m.Text, At: time.Now().UTC()})
	return sms.Receipt{ID: strconv.FormatUint(id, 10)}, nil
}
