package sms

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/linxGnu/gosmpp/pdu"
)

// Bits of esm_class that say what a deliver_sm is (SMPP 3.4 §5.2.12).
const (
	kindMask    = 0x3C
	kindReceipt = 0x04
)

// messageStates of the TLV message_state (§5.2.28); others are no end.
var messageStates = map[byte]State{2: Delivered, 3: Expired, 4: Failed, 5: Failed, 8: Failed}

// statWords of a receipt's text (Appendix B).
var statWords = map[string]State{"DELIVRD": Delivered, "EXPIRED": Expired, "DELETED": Failed, "UNDELIV": Failed, "REJECTD": Failed}

// receiptField finds the fields of a receipt's text, which is the SMSC's own affair; this is the
// form of Appendix B, which most write. text: comes last and may hold anything.
var receiptField = regexp.MustCompile(`(?i)\b(id|stat|err):\s*([^\s:]+)`)

// statusOf reads a receipt: its TLVs where it has them, else its text.
func (s *SMPP) statusOf(p *pdu.DeliverSM) (Status, bool) {
	if p.EsmClass&kindMask != kindReceipt {
		return Status{}, false
	}
	fields := receiptFields(textOf(p))
	id, state := fields["id"], statWords[strings.ToUpper(fields["stat"])]
	if tlv, ok := p.OptionalParameters[pdu.TagReceiptedMessageID]; ok {
		id = tlv.String()
	}
	if tlv, ok := p.OptionalParameters[pdu.TagMessageStateOption]; ok && len(tlv.Data) == 1 {
		state = messageStates[tlv.Data[0]]
	}
	reason := strings.TrimSpace(fields["stat"] + " " + fields["err"])
	return Status{Carrier: s.Name(), ID: s.canonical(id, 10), State: state, Reason: reason}, id != "" && state != ""
}

// textOf is the short message, or the payload where that is longer, read as ASCII.
func textOf(p *pdu.DeliverSM) string {
	raw, err := p.Message.GetMessageData()
	if payload, ok := p.OptionalParameters[pdu.TagMessagePayload]; ok && len(raw) == 0 {
		raw = payload.Data
	}
	if err != nil {
		return ""
	}
	return string(raw)
}

func receiptFields(text string) map[string]string {
	if i := strings.Index(strings.ToLower(text), " text:"); i >= 0 {
		text = text[:i]
	}
	found := map[string]string{}
	for _, m := range receiptField.FindAllStringSubmatch(text, -1) {
		if key := strings.ToLower(m[1]); found[key] == "" {
			found[key] = m[2]
		}
	}
	return found
}

// canonical makes the names of answers and receipts comparable where an SMSC writes one in base 16
// and the other in base 10.
func (s *SMPP) canonical(id string, base int) string {
	if !s.DecimalIDs {
		return id
	}
	n, err := strconv.ParseUint(id, base, 64)
	if err != nil {
		return id
	}
	return strconv.FormatUint(n, 10)
}
