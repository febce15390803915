package sms

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/linxGnu/gosmpp"
	"github.com/linxGnu/gosmpp/data"
	"github.com/linxGnu/gosmpp/pdu"
)

// link is one bound connection. The library's own session is not used: it answers a receipt before
// anybody has kept it, waits a fixed time before it binds again, and cannot tell a message that was
// written from one that was not.
type link struct {
	conn    *gosmpp.Connection
	smpp    *SMPP
	write   sync.Mutex
	window  chan struct{}       // one entry per submission under way
	inbox   chan *pdu.DeliverSM // read, not answered yet
	done    chan struct{}       // closed when the link ends
	mu      sync.Mutex
	waiting map[int32]chan pdu.PDU // by sequence number
}

func newLink(conn *gosmpp.Connection, s *SMPP) *link {
	return &link{conn: conn, smpp: s, window: make(chan struct{}, s.Window), inbox: make(chan *pdu.DeliverSM, 64),
		done: make(chan struct{}), waiting: map[int32]chan pdu.PDU{}}
}

// serve reads until the link breaks or ctx ends, and leaves nothing running.
func (l *link) serve(ctx context.Context) error {
	var helpers sync.WaitGroup
	helpers.Go(l.enquire)
	helpers.Go(func() { l.receipts(context.WithoutCancel(ctx)) })
	stop := context.AfterFunc(ctx, func() {
		_ = l.send(pdu.NewUnbind())
		_ = l.conn.Close()
	})
	err := l.read(ctx)
	stop()
	close(l.done)
	_ = l.conn.Close()
	helpers.Wait()
	return err
}

var errUnbound = errors.New("the server unbound")

func (l *link) read(ctx context.Context) error {
	for {
		p, err := l.next()
		if err != nil {
			return err
		}
		switch p := p.(type) {
		case *pdu.DeliverSM:
			select {
			case l.inbox <- p:
			case <-ctx.Done():
				return ctx.Err()
			}
		case *pdu.Unbind:
			_ = l.send(p.GetResponse())
			return errUnbound
		default:
			if p.CanResponse() {
				err = l.send(p.GetResponse()) // enquire_link, and what we have no use for
			} else {
				l.answered(p)
			}
		}
		if err != nil {
			return err
		}
	}
}

// next reads one PDU. The library slices by lengths of the peer's, so a broken PDU may panic there.
func (l *link) next() (p pdu.PDU, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("broken PDU: %v", r)
		}
	}()
	if err := l.conn.SetReadTimeout(3 * l.smpp.Enquire); err != nil {
		return nil, err
	}
	return pdu.Parse(l.conn)
}

// send writes one PDU. An error means that the peer cannot have read all of it.
func (l *link) send(p pdu.PDU) error {
	l.write.Lock()
	defer l.write.Unlock()
	if err := l.conn.SetWriteTimeout(l.smpp.Answer); err != nil {
		return err
	}
	_, err := l.conn.WritePDU(p)
	if err != nil {
		_ = l.conn.Close() // half a PDU may be out: nothing can follow it
	}
	return err
}

// enquire keeps the line from falling silent; the answers move the read deadline.
func (l *link) enquire() {
	ticker := time.NewTicker(l.smpp.Enquire)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			_ = l.send(pdu.NewEnquireLink()) // an error ends the reading
		case <-l.done:
			return
		}
	}
}

// ask sends a request and waits for its answer, with a place in the window.
func (l *link) ask(ctx context.Context, p pdu.PDU) (pdu.PDU, error) {
	ctx, cancel := context.WithTimeout(ctx, l.smpp.Answer)
	defer cancel()
	select {
	case l.window <- struct{}{}:
		defer func() { <-l.window }()
	case <-l.done:
		return nil, &Fault{ErrNotTaken, "smpp link lost"}
	case <-ctx.Done():
		return nil, &Fault{ErrNotTaken, "smpp window full"}
	}
	answer := l.expect(p.GetSequenceNumber())
	defer l.forget(p.GetSequenceNumber())
	if err := l.send(p); err != nil {
		return nil, &Fault{ErrNotTaken, "smpp link lost"}
	}
	select {
	case got := <-answer:
		return got, nil
	case <-l.done:
		return nil, &Fault{nil, "smpp link lost before the answer"}
	case <-ctx.Done():
		return nil, &Fault{nil, "smpp no answer"}
	}
}

func (l *link) expect(sequence int32) <-chan pdu.PDU {
	answer := make(chan pdu.PDU, 1)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting[sequence] = answer
	return answer
}

func (l *link) forget(sequence int32) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.waiting, sequence)
}

// answered hands a response to who waits for it; generic_nack is one too.
func (l *link) answered(p pdu.PDU) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if waiting, ok := l.waiting[p.GetSequenceNumber()]; ok {
		waiting <- p // it has room for one
		delete(l.waiting, p.GetSequenceNumber())
	}
}

// receipts keeps each receipt and answers it then, so that the SMSC repeats what was not kept.
func (l *link) receipts(ctx context.Context) {
	for {
		select {
		case p := <-l.inbox:
			l.receipt(ctx, p)
		case <-l.done:
			return
		}
	}
}

func (l *link) receipt(ctx context.Context, p *pdu.DeliverSM) {
	response := p.GetResponse().(*pdu.DeliverSMResp)
	if status, ok := l.smpp.statusOf(p); ok {
		ctx, cancel := context.WithTimeout(ctx, settleTimeout)
		defer cancel()
		if err := l.smpp.hear(ctx, status); err != nil {
			l.smpp.Log.WarnContext(ctx, "SMPP receipt not kept", "error", err.Error())
			response.CommandStatus = data.ESME_RX_T_APPN
		}
	}
	_ = l.send(response) // an error ends the reading
}
