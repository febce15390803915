package outbox

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// maxDepth bounds multiparts within multiparts.
const maxDepth = 5

var errNoText = errors.New("no text in this message")

// parse reads a MIME message: headers decoded (RFC 2047), the first text part as UTF-8 with
// \n at the end of lines.
func parse(r io.Reader) (Message, error) {
	raw, err := mail.ReadMessage(r)
	if err != nil {
		return Message{}, err
	}
	text, err := textOf(textproto.MIMEHeader(raw.Header), raw.Body, maxDepth)
	if err != nil {
		return Message{}, err
	}
	return Message{
		MessageID: strings.Trim(raw.Header.Get("Message-Id"), "<>"),
		From:      decodeHeader(raw.Header.Get("From")),
		Subject:   decodeHeader(raw.Header.Get("Subject")),
		Text:      strings.ReplaceAll(text, "\r\n", "\n"),
	}, nil
}

func decodeHeader(value string) string {
	decoder := mime.WordDecoder{CharsetReader: toUTF8}
	decoded, err := decoder.DecodeHeader(value)
	if err != nil {
		return value // better raw than nothing
	}
	return decoded
}

// textOf returns the first text/plain, or failing that the first other text, of an entity.
func textOf(h textproto.MIMEHeader, body io.Reader, depth int) (string, error) {
	mediaType, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil {
		mediaType, params = "text/plain", nil // RFC 2045 §5.2
	}
	switch {
	case strings.HasPrefix(mediaType, "multipart/") && depth > 0:
		return textOfParts(multipart.NewReader(body, params["boundary"]), depth-1)
	case strings.HasPrefix(mediaType, "text/"):
		return decodeBody(h.Get("Content-Transfer-Encoding"), params["charset"], body)
	}
	return "", errNoText
}

func textOfParts(parts *multipart.Reader, depth int) (string, error) {
	other, found := "", false
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		text, err := textOf(part.Header, part, depth)
		if errors.Is(err, errNoText) {
			continue
		}
		if err != nil {
			return "", err
		}
		if !strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			return text, nil
		}
		other, found = text, true
	}
	if !found {
		return "", errNoText
	}
	return other, nil
}

// decodeBody undoes the transfer encoding (RFC 2045 §6) and the charset.
func decodeBody(encoding, charset string, body io.Reader) (string, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body) // it skips line ends itself
	case "", "7bit", "8bit", "binary":
	default:
		return "", fmt.Errorf("unknown transfer encoding %q", encoding)
	}
	body, err := toUTF8(charset, body)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(body)
	return strings.ToValidUTF8(string(text), "\uFFFD"), err
}

func toUTF8(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "", "utf-8", "us-ascii":
		return r, nil
	}
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("unknown charset %q", charset)
	}
	return enc.NewDecoder().Reader(r), nil
}
