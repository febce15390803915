package client

// Party is a client that took part in a session, and the name it knows the person by there.
type Party struct {
	ClientID string
	Subject  string
}
