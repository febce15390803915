package pg

// ListenQuiet is Listen with another length of silence.
var ListenQuiet = listen
