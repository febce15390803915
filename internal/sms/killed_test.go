package sms

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/loginunico/loginunico/internal/pg"
	"github.com/loginunico/loginunico/internal/testpg"
)

// The test binary once more, as a process that is killed while a carrier has its message: its
// arguments are database, key file and message.
const doomedVariable = "LOGINUNICO_SMS_DOOMED"

func TestMain(m *testing.M) {
	if args := os.Getenv(doomedVariable); args != "" {
		doomed(strings.Split(args, "|"))
	}
	os.Exit(m.Run())
}

// hangingCarrier takes a message, says so, and never answers.
type hangingCarrier struct{}

func (hangingCarrier) Name() string { return "fake" }

func (hangingCarrier) Send(context.Context, Message) (Receipt, error) {
	fmt.Println("TAKEN")
	select {}
}

func doomed(args []string) {
	ctx := context.Background()
	db, err := pg.Open(ctx, args[0], 2)
	if err != nil {
		panic(err)
	}
	s, err := openService(ctx, db, args[1], hangingCarrier{})
	if err != nil {
		panic(err)
	}
	panic(s.deliver(ctx, Job{uuid.MustParse(args[2])}, 1))
}

func TestProcessKilledWhileItSendsSendsOnce(t *testing.T) {
	t.Parallel()

	url, kekFile := testpg.URL(t), filepath.Join(t.TempDir(), "kek")
	db, err := pg.Open(t.Context(), url, 4)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	carrier := &fakeCarrier{}
	s := serviceOn(t, db, kekFile, carrier)
	if err := s.Queue.Open(); err != nil {
		t.Fatal(err)
	}
	var id uuid.UUID
	err = pg.InTx(t.Context(), db, func(tx pg.Tx) error {
		id, err = s.Send(t.Context(), tx, Request{Key: "k", Purpose: "code", To: maria, Text: "x", Expires: time.Now().Add(time.Hour)})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}

	other := exec.CommandContext(t.Context(), os.Args[0])
	other.Env = append(os.Environ(), doomedVariable+"="+strings.Join([]string{url, kekFile, id.String()}, "|"))
	other.Stderr = os.Stderr
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "TAKEN\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()

	for range 3 { // the queue gives the job to others
		if err := s.deliver(t.Context(), Job{id}, 2); err != nil {
			t.Fatal(err)
		}
	}
	if trail, err := s.Of(t.Context(), "k"); err != nil || trail.State != Sending || carrier.sent() != 0 {
		t.Errorf("%+v, %v, %d more sendings", trail, err, carrier.sent())
	}
	s.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	if err := s.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if trail, err := s.Of(t.Context(), "k"); err != nil || trail.State != Expired || trail.Reason != "in_doubt" {
		t.Errorf("%+v, %v", trail, err)
	}
}
