package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

const profileEnv = "BENCH_PPROF_LISTEN"

// profiler is put beside the provider's main.go for the build of a profiled run only: the program
// that ships has no such door.
const profiler = `package main

import (
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() { go http.ListenAndServe(os.Getenv("` + profileEnv + `"), nil) }
`

// profiling writes what go build -overlay needs to add the profiler.
func profiling(scratch string) (overlay string, err error) {
	source := filepath.Join(scratch, "profiler.go")
	target, err := filepath.Abs("cmd/loginunico/zz_profiler.go")
	if err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{target: source}})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(scratch, "overlay.json")
	if err := os.WriteFile(source, []byte(profiler), 0o600); err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, replace, 0o600)
}

// keepProfile writes a CPU profile of this long into the directory.
func (m *machine) keepProfile(s *server, name string, length time.Duration) error {
	if err := os.MkdirAll(m.profile, 0o755); err != nil {
		return err
	}
	seconds := max(1, int(length/time.Second))
	res, err := http.Get(fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.profile, seconds))
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return errNoProfile
	}
	f, err := os.Create(filepath.Join(m.profile, name+".pprof"))
	if err != nil {
		return err
	}
	if _, err := io.Copy(f, res.Body); err != nil {
		return err
	}
	return f.Close()
}
