package settings

import (
	"fmt"
	"strings"
	"testing"
)

func TestTrustedProxies(t *testing.T) {
	s := mustLoad(t, good, "WISHDESK_TRUSTED_PROXIES=127.0.0.1, 10.1.2.3/8,2001:db8::/32")
	got, err := s.TrustedProxies()
	if err != nil || fmt.Sprint(got) != "[127.0.0.1/32 10.0.0.0/8 2001:db8::/32]" {
		t.Errorf("%v, %v", got, err)
	}
	s.Proxies = "10.0.0.0/8,the proxy"
	if err := s.Check(fine, fineOutside); err == nil || !strings.Contains(err.Error(), "WISHDESK_TRUSTED_PROXIES") {
		t.Errorf("nonsense is taken: %v", err)
	}
}
