package pgcluster

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is who the server runs as. The zero account is the caller itself.
type account struct {
	Name     string
	UID, GID int
	switched bool // root hands over to it
}

// accountFor chooses: the caller, or for root, whom PostgreSQL refuses, the owner of the data
// that is already there, else postgres, else nobody.
func accountFor(data string) (account, error) {
	if os.Geteuid() != 0 {
		return account{UID: os.Geteuid(), GID: os.Getegid()}, nil
	}
	if info, err := os.Stat(data); err == nil {
		if st := info.Sys().(*syscall.Stat_t); st.Uid != 0 {
			return account{strconv.Itoa(int(st.Uid)), int(st.Uid), int(st.Gid), true}, nil
		}
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			return switchTo(u)
		}
	}
	return account{}, fmt.Errorf("PostgreSQL refuses to run as root, and there is no user postgres or nobody")
}

func switchTo(u *user.User) (account, error) {
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", u.Username, err)
	}
	return account{u.Username, uid, gid, true}, nil
}

// attributes starts a program as the account, in a process group of its own: Ctrl-C in a terminal
// reaches the parent alone, which stops its database last.
func (a account) attributes() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
	if a.switched {
		attr.Credential = &syscall.Credential{Uid: uint32(a.UID), Gid: uint32(a.GID), Groups: []uint32{}}
	}
	return attr
}

// own gives path and all below it to the account. What disappears meanwhile is let go: a server
// left behind may be about to end.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	return filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(p, a.UID, a.GID)
		}
		if p != path && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
}

// reaches says whether the account may pass all parents of dir.
func (a account) reaches(dir string) (bool, error) {
	for p := filepath.Dir(dir); a.switched; p = filepath.Dir(p) {
		info, err := os.Stat(p)
		if err != nil || !a.mayEnter(info) {
			return false, err
		}
		if p == filepath.Dir(p) {
			break
		}
	}
	return true, nil
}

func (a account) mayEnter(dir fs.FileInfo) bool {
	st := dir.Sys().(*syscall.Stat_t)
	switch {
	case int(st.Uid) == a.UID:
		return st.Mode&0o100 != 0
	case int(st.Gid) == a.GID:
		return st.Mode&0o010 != 0
	}
	return st.Mode&0o001 != 0
}
