// Package standin is a stand-in for an endpoint that speaks OpenAI's API: it
// answers well, slowly, wrongly, obediently to what a text tells it, or not at
// all, as a test wants. It remembers what it was asked.
//
// What must never come in: product code. Only tests import it.
package standin

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Manner is how the stand-in answers.
type Manner int

// The manners.
const (
	Well     Manner = iota // what Says gives, in the form that was asked for
	Slow                   // not before the asker goes away
	Wrong                  // in the right form, a code that nobody knows
	Prose                  // words instead of JSON
	Obedient               // it does what the text told it instead of its task
	Empty                  // success without an answer
	Busy                   // HTTP 429
	Failing                // HTTP 500
	Cut                    // the connection ends
	Endless                // far more than anybody wants to read
)

// Server is the stand-in. Says gives an opinion on a message; Hears is what a
// recording says.
type Server struct {
	URL  string // base for Options.URL
	HTTP *http.Client

	mu     sync.Mutex
	manner Manner
	says   func(message string) (what, severity string)
	writes []string
	hears  string
	asked  []Asked

	arrived chan struct{}
}

// Asked is one question as it came.
type Asked struct {
	Path, Key, Model, System, User, Format string
	File                                   []byte
	FileName                               string
}

// New starts a stand-in that ends with the test.
func New(t testing.TB) *Server {
	s := &Server{arrived: make(chan struct{}, 100), says: func(string) (string, string) { return "unclear", "minor" }}
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, done) }))
	t.Cleanup(func() {
		close(done)
		server.CloseClientConnections()
		server.Close()
	})
	s.URL, s.HTTP = server.URL+"/v1", server.Client()
	return s
}

// Behave sets the manner from now on.
func (s *Server) Behave(m Manner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = m
}

// Say sets the opinion from now on.
func (s *Server) Say(f func(message string) (what, severity string)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says = f
}

// Write sets the sentences from now on: what it answers to data that is no
// message.
func (s *Server) Write(sentences ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = sentences
}

// Hear sets what recordings say from now on.
func (s *Server) Hear(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hears = text
}

// Arrived gives one value for each question that came.
func (s *Server) Arrived() <-chan struct{} { return s.arrived }

// Asked are the questions so far.
func (s *Server) Asked() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Asked(nil), s.asked...)
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, done <-chan struct{}) {
	asked := Asked{Path: r.URL.Path, Key: r.Header.Get("Authorization")}
	answer := s.opinion
	switch r.URL.Path {
	case "/v1/chat/completions":
		var body struct {
			Model    string
			Messages []struct{ Role, Content string }
			Format   struct{ Type string } `json:"response_format"`
		}
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || len(body.Messages) != 2 {
			http.Error(w, "no question", http.StatusBadRequest)
			return
		}
		asked.Model, asked.Format = body.Model, body.Format.Type
		asked.System, asked.User = body.Messages[0].Content, body.Messages[1].Content
	case "/v1/audio/transcriptions":
		file, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, "no file", http.StatusBadRequest)
			return
		}
		asked.Model, asked.FileName = r.FormValue("model"), header.Filename
		asked.File, _ = io.ReadAll(file)
		answer = s.transcript
	default:
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, asked)
	manner := s.manner
	s.mu.Unlock()
	select {
	case s.arrived <- struct{}{}:
	default: // nobody counts
	}
	w.Header().Set("Content-Type", "application/json")
	switch manner {
	case Slow:
		select {
		case <-r.Context().Done():
		case <-done:
		}
	case Busy:
		w.WriteHeader(http.StatusTooManyRequests)
	case Failing:
		http.Error(w, `{"error":{"message":"the model is down: `+asked.User+`"}}`, http.StatusInternalServerError)
	case Cut:
		panic(http.ErrAbortHandler)
	case Endless:
		_, _ = io.WriteString(w, `{"text":"`)
		part := make([]byte, 1<<16)
		for i := range part {
			part[i] = 'a'
		}
		for range 64 {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	default:
		_ = json.NewEncoder(w).Encode(answer(asked, manner))
	}
}

func (s *Server) opinion(asked Asked, m Manner) any {
	content := ""
	var question struct{ Message string }
	if err := json.Unmarshal([]byte(asked.User), &question); err != nil {
		question.Message = "the question is no JSON: " + err.Error()
	}
	switch m {
	case Prose:
		content = "好的,我认为这是管道排水类的问题,属于小事。"
	case Wrong:
		content = `{"what":"incident:everything","severity":"apocalypse"}`
	case Obedient:
		data, _ := json.Marshal(map[string]string{"what": question.Message, "severity": question.Message, "command": question.Message})
		content = string(data)
	case Empty:
		return map[string]any{"choices": []any{}}
	default:
		s.mu.Lock()
		if question.Message == "" {
			data, _ := json.Marshal(map[string][]string{"sentences": s.writes})
			s.mu.Unlock()
			content = string(data)
			break
		}
		what, severity := s.says(question.Message)
		s.mu.Unlock()
		data, _ := json.Marshal(map[string]string{"what": what, "severity": severity})
		content = string(data)
	}
	return map[string]any{
		"id": "1", "object": "chat.completion", "model": asked.Model,
		"choices": []any{map[string]any{"index": 0, "finish_reason": "stop", "message": map[string]string{"role": "assistant", "content": content}}},
	}
}

func (s *Server) transcript(_ Asked, m Manner) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m == Empty {
		return map[string]string{"text": ""}
	}
	return map[string]string{"text": s.hears}
}
