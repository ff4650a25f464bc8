package ground

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Door is what stands in front of the replicas, such as nginx would: it hands each
// request to the next replica in turn, and to another one where a replica does not
// listen. A request that broke after it was sent is broken for the caller, too.
//
// It also makes bad weather: requests that arrive twice, at two replicas at once,
// and requests that overtake each other.
type Door struct {
	Twice   atomic.Int64 // of 1000 requests, how many are sent twice
	Late    atomic.Int64 // of 1000 requests, how many are held back
	LateFor time.Duration

	client  *http.Client
	next    atomic.Int64
	mu      sync.Mutex
	members []string
}

// NewDoor gives a door that leads nowhere yet.
func NewDoor() *Door {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy, transport.MaxIdleConnsPerHost = nil, 256
	return &Door{LateFor: 300 * time.Millisecond, client: &http.Client{Transport: transport, Timeout: 10 * time.Second}}
}

// To makes it lead to the replicas at addresses.
func (d *Door) To(addresses ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.members = addresses
}

// ServeHTTP passes a request on.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if rand.Int64N(1000) < d.Late.Load() { //nolint:gosec // weather
		select {
		case <-time.After(time.Duration(rand.Int64N(int64(d.LateFor)))): //nolint:gosec // weather
		case <-r.Context().Done():
			return
		}
	}
	var again sync.WaitGroup
	if r.Method == http.MethodPost && rand.Int64N(1000) < d.Twice.Load() { //nolint:gosec // weather
		again.Go(func() { _, _, _ = d.pass(r, body) })
	}
	status, answer, err := d.pass(r, body)
	again.Wait()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.WriteHeader(status)
	_, _ = w.Write(answer)
}

// pass tries each replica until one listens.
func (d *Door) pass(r *http.Request, body []byte) (status int, answer []byte, err error) {
	d.mu.Lock()
	members := d.members
	d.mu.Unlock()
	first, err := int(d.next.Add(1)), errors.New("ground: the door leads nowhere")
	for i := range members {
		var res *http.Response
		if res, err = d.send(r, members[(first+i)%len(members)], body); err != nil {
			if errors.Is(err, syscall.ECONNREFUSED) {
				continue
			}
			return 0, nil, err
		}
		answer, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
		return res.StatusCode, answer, err
	}
	return 0, nil, err
}

func (d *Door) send(r *http.Request, addr string, body []byte) (*http.Response, error) {
	req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+addr+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = r.Header
	return d.client.Do(req)
}
