package sms

import (
	"net"
	"testing"
	"time"

	"github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

func FuzzReceipt(f *testing.F) {
	f.Add("id:7220bb6b-1 sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:x", "", []byte{2})
	f.Add("", "t1", []byte{5})
	f.Add("ID: 1 stat:undeliv Text:id:2", "", []byte{})
	f.Fuzz(func(t *testing.T, text, id string, state []byte) {
		p := pdu.NewDeliverSM().(*pdu.DeliverSM)
		p.EsmClass = kindReceipt
		if p.Message.SetMessageDataWithEncoding([]byte(text), data.GSM7BIT) != nil {
			return
		}
		if id != "" {
			p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagReceiptedMessageID, Data: []byte(id)})
			p.RegisterOptionalParam(pdu.Field{Tag: pdu.TagMessageStateOption, Data: state})
		}
		for _, decimal := range []bool{false, true} {
			s := &SMPP{SMPPConfig: SMPPConfig{DecimalIDs: decimal}}
			if st, ok := s.statusOf(p); ok && (st.ID == "" || !st.State.Final() || st.Carrier != "smpp") {
				t.Fatalf("%+v", st)
			}
		}
	})
}

// FuzzPeer is whatever a server may write.
func FuzzPeer(f *testing.F) {
	deliver := pdu.NewDeliverSM()
	buffer := pdu.NewBuffer(nil)
	deliver.Marshal(buffer)
	f.Add(buffer.Bytes())
	f.Add([]byte{0, 0, 0, 21, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0x1E, 0xFF, 0xFF, 0})                                        // a TLV of -1 bytes
	f.Add([]byte{0, 0, 0, 34, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xFF}) // a header longer than its text
	f.Add([]byte{0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, written []byte) {
		ours, theirs := net.Pipe()
		go func() { _, _ = theirs.Write(written); _ = theirs.Close() }()
		s, err := NewSMPP(SMPPConfig{Enquire: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		l := newLink(gosmpp.NewConnection(ours), s)
		for {
			p, err := l.next()
			if err != nil {
				break
			}
			if d, ok := p.(*pdu.DeliverSM); ok {
				s.statusOf(d)
			}
		}
		_ = ours.Close()
	})
}
