// Package testbrowser drives a real Chromium as a citizen would, by ids, names and visible text.
//
//	b := testbrowser.New(t)
//	b.Open(base + "/entrar")
//	b.Fill("cpf", "529.982.247-25")
//	b.Submit("continue")
//	b.See("Senha")
//	b.Axe()
//
// One Chromium serves a test process (some 2 s to start); each New is an isolated context in it,
// with cookies and language of its own (0.3 s). It is chromium-headless-shell where the machine has
// that, the same engine without windows, for a third of the time; a store of certificates (WithStore)
// needs the whole browser. Every method fails the test by itself, with the
// address and text of the page. A method waits up to 15 s for what it needs, never a fixed time.
//
// Without Chromium the test is skipped, aloud; with REQUIRE_ALL=1 it fails. Scripts can be switched
// off (NoJS): the driver's own evaluation goes on working, the page's scripts do not.
package testbrowser
