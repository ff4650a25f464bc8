package access

import (
	"net/netip"
	"testing"
)

func TestClient(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.7:5000": "192.0.2.7", "[::ffff:192.0.2.7]:5000": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:443": "2001:db8:1:2::/64", "[fe80::1%eth0]:1": "fe80::/64", "@": "unknown",
	} {
		if got := Client(remote); got != want {
			t.Errorf("%s counts as %s, want %s", remote, got, want)
		}
	}
}

// Nobody chooses by a header whom they count as.
func TestBehind(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.1/32")}
	for _, x := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.7:5000", nil, "192.0.2.7:5000"},
		{"192.0.2.7:5000", []string{"198.51.100.1"}, "192.0.2.7:5000"}, // it came directly
		{"10.1.1.1:80", []string{"198.51.100.1"}, "198.51.100.1:0"},
		{"10.1.1.1:80", []string{"203.0.113.9, 198.51.100.1, 10.2.2.2"}, "198.51.100.1:0"}, // the first was written by the client
		{"10.1.1.1:80", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1:0"},
		{"127.0.0.1:80", []string{"2001:db8::1"}, "[2001:db8::1]:0"},
		{"10.1.1.1:80", nil, "10.1.1.1:80"},
		{"10.1.1.1:80", []string{"nonsense"}, "10.1.1.1:80"},
		{"10.1.1.1:80", []string{"10.3.3.3"}, "10.3.3.3:0"},
	} {
		if got := Behind(x.remote, x.forwarded, proxies); got != x.want {
			t.Errorf("%s with %q is %s, want %s", x.remote, x.forwarded, got, x.want)
		}
	}
}
