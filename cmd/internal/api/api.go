// Package api is what hawser's processes say to each other: the daemon, or a foreground process, on one side, and the subcommands on the
// other. It is HTTP and JSON over a unix socket of mode 0600, versioned by its path (/v1).
//
//	GET    /v1/version
//	GET    /v1/volumes                     all volumes
//	POST   /v1/volumes                     attach: an AttachRequest; the volume comes back
//	GET    /v1/volumes/{name}              one volume; {name} may be a device, /dev/nbdN, escaped
//	DELETE /v1/volumes/{name}?force=1      detach
//	POST   /v1/volumes/{name}/rescan       look at the storage again
//	POST   /v1/rescan                      the same for all volumes
//
// An error is an [Error], with a status that fits its kind.
//
// Who answers has a [Service], takes a socket with [ListenDaemon] or [ListenVolume], and lets [Serve] answer. Who asks finds everybody with [Discover], or the
// daemon with [DialDaemon], and has a [Client], which is the same Service at the other end. All sockets of a user lie in one directory,
// [Dir]: hawser.sock is the daemon's, NAME.sock that of a foreground process. Only root and the user of a process are answered.
//
// Both ends are of one program, but a process may have been started before the program was replaced. So a request with a field that is
// not known here is refused, because half of a request must not be done; in an answer it is passed over.
package api

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Service is who answers: the daemon, or a foreground process. Its methods may be called by several goroutines. Errors that are not an
// [*Error] are told with kind "failed".
type Service interface {
	// Version is the program's and the process's.
	Version() Version

	// Attach attaches a volume and returns when it can be used, or with why it cannot. It ends early when ctx does.
	Attach(ctx context.Context, r AttachRequest) (Volume, error)

	// Detach flushes and ends a volume. name is its name or its device.
	Detach(ctx context.Context, name string, force bool) error

	// Release detaches each volume as soon as nobody uses its device, and forgets none: the next start takes them up. It is for the
	// shutdown of the host, and returns when all are released; with an error if ctx ends first, or what is in use stays so for too long.
	Release(ctx context.Context) error

	// Volumes is all volumes, by name.
	Volumes(ctx context.Context) ([]Volume, error)

	// Volume is one.
	Volume(ctx context.Context, name string) (Volume, error)

	// Rescan asks every path of a volume anew what it leads to, and returns when the volume is what they said; name "" means all volumes.
	Rescan(ctx context.Context, name string) error
}

// Version says who answers.
type Version struct {
	Version string    `json:"version"`
	PID     int       `json:"pid"`
	Since   time.Time `json:"since"`
	Daemon  bool      `json:"daemon"`
	Memory  Memory    `json:"memory"`

	// DrainTimeout is how long its requests in flight may take when it ends, in seconds; 0: not known.
	DrainTimeout float64 `json:"drain_timeout,omitempty"`
}

// Memory says what the process has done so that writing back memory does not wait for memory. A reason says why something is not so.
type Memory struct {
	IOFlusher       bool   `json:"io_flusher"` // PR_SET_IO_FLUSHER, on every thread
	IOFlusherReason string `json:"io_flusher_reason,omitempty"`
	Locked          bool   `json:"locked"` // mlockall
	LockedReason    string `json:"locked_reason,omitempty"`
	OOMScore        int    `json:"oom_score_adj"`
	OOMScoreReason  string `json:"oom_score_reason,omitempty"`
}

// AttachRequest is a volume to attach. Durations are in seconds; a zero value is the default, where there is one.
type AttachRequest struct {
	Name    string   `json:"name"`    // see ValidName; "": made of target and LUN
	URLs    []string `json:"urls"`    // as on the command line
	Device  string   `json:"device"`  // "auto" or /dev/nbdN
	Options Options  `json:"options"` // how
	Once    bool     `json:"once"`    // not again after a reboot
}

// Options are the flags of attach that are kept with a volume.
type Options struct {
	Initiator       string   `json:"initiator,omitempty"`
	NoPathRetry     *float64 `json:"no_path_retry,omitempty"` // negative: for ever
	FenceTimeout    float64  `json:"fence_timeout,omitempty"`
	DeadConnTimeout float64  `json:"dead_conn_timeout,omitempty"` // how long the kernel waits for a daemon that is gone
	LoginTimeout    float64  `json:"login_timeout,omitempty"`
	NOOPInterval    float64  `json:"noop_out_interval,omitempty"`
	NOOPTimeout     float64  `json:"noop_out_timeout,omitempty"`
	SocketBuffer    int      `json:"socket_buffer,omitempty"` // bytes; -1: left to the kernel
	HeaderDigest    []string `json:"header_digest,omitempty"`
	DataDigest      []string `json:"data_digest,omitempty"`
	InitialR2T      string   `json:"initial_r2t,omitempty"` // yes or no
	ImmediateData   string   `json:"immediate_data,omitempty"`
	CmdsMax         int      `json:"cmds_max,omitempty"`
	Memory          int      `json:"memory,omitempty"`         // bytes of a volume's data in flight
	TrustIdentity   bool     `json:"trust_identity,omitempty"` // the paths lead to one volume, though nothing shows it
}

// State is where a volume stands.
type State string

// The states of a volume.
const (
	Attaching State = "attaching" // its paths are being logged in to
	Up        State = "up"        // a path works
	NoPath    State = "no path"   // requests wait for one
	Failing   State = "failing"   // no path came back in time: requests fail
	Detaching State = "detaching"
)

// Volume is a volume at one moment.
type Volume struct {
	Name        string    `json:"name"`
	State       State     `json:"state"`
	Device      string    `json:"device,omitempty"` // /dev/nbdN
	URI         string    `json:"uri,omitempty"`    // of an NBD socket
	Identity    string    `json:"identity,omitempty"`
	Serial      string    `json:"serial,omitempty"`
	Vendor      string    `json:"vendor,omitempty"`
	Product     string    `json:"product,omitempty"`
	Size        uint64    `json:"size"`       // bytes
	BlockSize   uint32    `json:"block_size"` // bytes
	ReadOnly    bool      `json:"read_only"`
	Cache       bool      `json:"write_cache"`
	Policy      string    `json:"policy"`
	NoPathRetry *float64  `json:"no_path_retry,omitempty"` // seconds; see Options
	Since       time.Time `json:"since"`                   // attached
	Once        bool      `json:"once"`
	Reason      string    `json:"reason,omitempty"` // why it is not up
	Paths       []Path    `json:"paths"`
	Waiting     int       `json:"waiting"` // requests, for a path
	Held        int       `json:"held"`    // requests, for a write of a lost path
	Errors      Errors    `json:"errors"`
	Warnings    []string  `json:"warnings,omitempty"` // what could not be set on the device
	URLs        []string  `json:"urls"`
}

// Path is one way to a volume.
type Path struct {
	Path         string    `json:"path"` // portal, interface, target, LUN
	Portal       string    `json:"portal"`
	Target       string    `json:"target"`
	LUN          int       `json:"lun"`
	Interface    string    `json:"interface,omitempty"`
	State        string    `json:"state"`
	Reason       string    `json:"reason,omitempty"`
	Since        time.Time `json:"since"`
	Reads        uint64    `json:"reads"`
	Writes       uint64    `json:"writes"`
	ReadBytes    uint64    `json:"read_bytes"`
	WrittenBytes uint64    `json:"written_bytes"`
	InFlight     int       `json:"in_flight"`
	Errors       uint64    `json:"errors"`
	Failovers    uint64    `json:"failovers"`
	BufferAsked  int       `json:"socket_buffer_asked"`   // bytes; -1: left to the kernel
	ReceiveBytes int       `json:"socket_receive_buffer"` // as the kernel tells, which is twice what it grants; 0: not connected
	SendBytes    int       `json:"socket_send_buffer"`
}

// Errors are requests that failed at the device, which the host took for a broken disk. They are remembered until the volume is
// detached, over restarts too.
type Errors struct {
	Count uint64    `json:"count"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Text  string    `json:"text,omitempty"` // of the last one
}

// Kind is what sort of error it is.
type Kind string

// The kinds of errors.
const (
	Failed     Kind = "failed"
	Usage      Kind = "usage"       // the request makes no sense
	NotFound   Kind = "not found"   // there is no such volume
	Exists     Kind = "exists"      // the name is taken
	Busy       Kind = "busy"        // the device is in use; Holders says by whom
	Lost       Kind = "lost"        // it is done, but something was lost on the way
	NotRunning Kind = "not running" // nobody answers; said by the client
)

// Error is an error of a [Service], on both sides. Its text is for people: what failed, where, and what to do.
type Error struct {
	Kind    Kind     `json:"kind"`
	Text    string   `json:"error"`
	Holders []string `json:"holders,omitempty"` // such as "mounted at /mnt"; for programs: Text names them too
}

func (e *Error) Error() string { return e.Text }

// KindOf is the kind of an error: its own if there is an [*Error] in it, [Failed] otherwise.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok && e.Kind != "" {
		return e.Kind
	}
	return Failed
}

func errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Text: fmt.Sprintf(format, args...)}
}
