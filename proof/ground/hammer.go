package ground

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/silenceper/wechat/v2/util"
)

// Call is a request of WeChat's, sealed and ready to be written to a connection, so
// that whoever sends many spends next to nothing on each.
type Call struct {
	OpenID string
	Text   string
	wire   []byte
}

// Seal makes the call by which somebody says something, as WeChat encrypts and signs
// it. id makes it a message of its own.
func Seal(path, openid, text string, id int64, now time.Time) (Call, error) {
	plain := fmt.Sprintf("<xml><ToUserName><![CDATA[gh_proof]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId></xml>", openid, now.Unix(), text, id)
	sealed, err := util.EncryptMsg(fmt.Appendf(nil, "%016d", id%1e16), []byte(plain), appID, aesKey)
	if err != nil {
		return Call{}, fmt.Errorf("ground: %w", err)
	}
	stamp, nonce := strconv.FormatInt(now.Unix(), 10), strconv.FormatInt(id, 10)
	body := "<xml><ToUserName><![CDATA[gh_proof]]></ToUserName><Encrypt><![CDATA[" + string(sealed) + "]]></Encrypt></xml>"
	query := "signature=" + sign(token, stamp, nonce) + "&timestamp=" + stamp + "&nonce=" + nonce + "&openid=" + openid +
		"&encrypt_type=aes&msg_signature=" + sign(token, stamp, nonce, string(sealed))
	return Call{openid, text, fmt.Appendf(nil, "POST %s?%s HTTP/1.1\r\nHost: desk\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s", path, query, len(body), body)}, nil
}

// sign is WeChat's signature: SHA-1 of the sorted parts.
func sign(parts ...string) string {
	slices.Sort(parts)
	sum := sha1.Sum([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}

// Answer is what came back for a call.
type Answer struct {
	Call *Call
	Took time.Duration // from when it should have been sent
	Err  error         // nil where something came back
	body []byte
}

// Text is what the person reads, "" where nothing came back that they could.
func (a *Answer) Text() string {
	if a.Err != nil {
		return ""
	}
	var outer struct {
		Encrypt string
		Content string
	}
	if xml.Unmarshal(a.body, &outer) != nil {
		return ""
	}
	if outer.Encrypt == "" {
		return outer.Content
	}
	_, plain, err := util.DecryptMsg(appID, outer.Encrypt, aesKey)
	if err != nil || xml.Unmarshal(plain, &outer) != nil {
		return ""
	}
	return outer.Content
}

// Hammer sends calls over so many connections, spread over the addresses. With a
// rate a second > 0 each call has its moment, and a late one counts from then;
// otherwise each connection sends when it has its answer. It ends when all are
// answered, or no new ones are sent after most; it gives the answers and how long it
// all took.
func Hammer(ctx context.Context, addresses []string, calls []Call, connections int, rate float64, most time.Duration) ([]Answer, time.Duration) {
	answers := make([]Answer, len(calls))
	var next atomic.Int64
	var busy sync.WaitGroup
	began := time.Now()
	for i := range connections {
		busy.Go(func() {
			l := &line{address: addresses[i%len(addresses)]}
			defer l.close()
			for {
				n := int(next.Add(1)) - 1
				if n >= len(calls) || ctx.Err() != nil {
					return
				}
				due := time.Now()
				if rate > 0 {
					due = began.Add(time.Duration(float64(n) / rate * float64(time.Second)))
					time.Sleep(time.Until(due))
				}
				if due.Sub(began) > most {
					return
				}
				body, err := l.call(calls[n].wire)
				answers[n] = Answer{Call: &calls[n], Took: time.Since(due), Err: err, body: body}
			}
		})
	}
	busy.Wait()
	took := time.Since(began)
	return slices.DeleteFunc(answers, func(a Answer) bool { return a.Call == nil }), took
}

// line is one connection that is opened again when it breaks.
type line struct {
	address string
	conn    net.Conn
	in      *bufio.Reader
}

func (l *line) close() {
	if l.conn != nil {
		_ = l.conn.Close()
		l.conn = nil
	}
}

// call writes a request and reads its answer.
func (l *line) call(wire []byte) ([]byte, error) {
	if l.conn == nil {
		conn, err := net.DialTimeout("tcp", l.address, 5*time.Second)
		if err != nil {
			return nil, fmt.Errorf("ground: %w", err)
		}
		l.conn, l.in = conn, bufio.NewReader(conn)
	}
	body, err := l.exchange(wire)
	if err != nil {
		l.close()
	}
	return body, err
}

func (l *line) exchange(wire []byte) ([]byte, error) {
	_ = l.conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := l.conn.Write(wire); err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	length, status, leave := -1, "", false
	for {
		head, err := l.in.ReadSlice('\n')
		if err != nil {
			return nil, fmt.Errorf("ground: %w", err)
		}
		head = bytes.TrimRight(head, "\r\n")
		if len(head) == 0 {
			break
		}
		if status == "" {
			status = string(head)
			continue
		}
		name, value, _ := bytes.Cut(head, []byte(":"))
		switch value = bytes.TrimSpace(value); {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return nil, fmt.Errorf("ground: %w", err)
			}
		case bytes.EqualFold(name, []byte("Connection")):
			leave = bytes.EqualFold(value, []byte("close"))
		}
	}
	if length < 0 {
		return nil, errors.New("ground: an answer without a length")
	}
	body := make([]byte, length)
	if _, err := io.ReadFull(l.in, body); err != nil {
		return nil, fmt.Errorf("ground: %w", err)
	}
	if leave {
		l.close()
	}
	if !strings.Contains(status, " "+strconv.Itoa(http.StatusOK)+" ") {
		return nil, fmt.Errorf("ground: %s", status)
	}
	return body, nil
}

// messages numbers messages, also beside those of an earlier run.
var messages atomic.Int64

func init() { messages.Store(time.Now().UnixNano()) }

// Message seals what somebody says to the community.
func Message(openid, text string, now time.Time) (Call, error) {
	return Seal("/wechat/"+Community, openid, text, messages.Add(1), now)
}

// Residents seals the messages of n residents who are new here, from first on; each
// reports something else.
func Residents(first, n int64, now time.Time) ([]Call, error) {
	calls := make([]Call, n)
	for i := range n {
		var err error
		if calls[i], err = Message(fmt.Sprintf("proof-resident-%d", first+i), Words(first+i), now); err != nil {
			return nil, err
		}
	}
	return calls, nil
}
