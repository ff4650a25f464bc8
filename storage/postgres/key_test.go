package postgres

import (
	"testing"
	"time"

	"github.com/wishdesk/wishdesk/workflow"
	"github.com/wishdesk/wishdesk/workflow/access"
)

func TestKeys(t *testing.T) {
	s := newStore(t)
	c, now := t.Context(), time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)
	secret := access.NewKey()
	k := access.Key{Name: "街道平台", Scopes: []access.Scope{access.ScopeRead, access.ScopeFile}, MadeAt: now}
	id, err := s.AddKey(c, here, k, access.Hash(secret))
	if err != nil {
		t.Fatal(err)
	}
	got, ok, err := s.KeyOf(c, here, access.Hash(secret), now)
	if err != nil || !ok || got.ID != id || got.Name != k.Name || !got.May(access.ScopeFile) || got.May(access.ScopePersonal) {
		t.Fatalf("the key is %+v, %v (%v)", got, ok, err)
	}
	if _, ok, err := s.KeyOf(c, here, access.Hash(secret+"x"), now); err != nil || ok {
		t.Errorf("another key: %v (%v)", ok, err)
	}
	if _, ok, err := s.KeyOf(c, "elsewhere", access.Hash(secret), now); err != nil || ok {
		t.Errorf("the key in another community: %v (%v)", ok, err)
	}
	if _, err := s.AddKey(c, "nowhere", k, access.Hash("y")); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("a key of no community: %v", err)
	}
	later := now.Add(26 * time.Hour)
	for range 2 {
		if _, _, err := s.KeyOf(c, here, access.Hash(secret), later); err != nil {
			t.Fatal(err)
		}
	}
	if all, err := s.Keys(c, here); err != nil || len(all) != 1 || !all[0].UsedAt.Equal(later.Truncate(24*time.Hour)) {
		t.Errorf("the list: %+v (%v)", all, err)
	}
	if err := s.EndKey(c, here, id); err != nil {
		t.Fatal(err)
	}
	if got, ok, err := s.KeyOf(c, here, access.Hash(secret), now); err != nil || !ok || got.May(access.ScopeRead) {
		t.Errorf("an ended key may still read: %+v, %v (%v)", got, ok, err)
	}
	if err := s.EndKey(c, here, id); workflow.CodeOf(err) != workflow.CodeNotFound {
		t.Errorf("ending it again: %v", err)
	}
}
