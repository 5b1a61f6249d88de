//! Which hosts may be asked for media.

use super::url::{HTTPS, Url};

/// The hosts of the configuration; every public one if it names none.
#[derive(Debug, Default)]
pub(super) struct Hosts(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    host: String,
    /// All hosts below it are meant, and not itself.
    below: bool,
    port: u16,
}

/// What a host is to the configuration.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It is named.
    Named,
    /// All are allowed, and it may be one of the internet's.
    Public,
}

impl Hosts {
    /// Reads entries such as `example.com`, `*.example.com` and `example.com:8443`.
    pub(super) fn new(entries: &[String]) -> Result<Self, String> {
        let read = |text: &String| Entry::read(text).ok_or_else(|| format!("{text} is not a host"));
        Ok(Hosts(entries.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// How a URL's host stands; why not, if it may not be asked.
    pub(super) fn standing(&self, url: &Url) -> Result<Standing, &'static str> {
        if self.0.iter().any(|entry| entry.means(url)) {
            return Ok(Standing::Named);
        }
        if !self.0.is_empty() {
            return Err("its host is not among those that may be asked");
        }
        if url.port != HTTPS {
            return Err("only port 443 is asked");
        }
        // A name without a dot is one of ours, completed by the resolver.
        if !url.host.contains(['.', ':']) {
            return Err("its host is not one of the internet's");
        }
        Ok(Standing::Public)
    }
}

impl Entry {
    fn read(text: &str) -> Option<Self> {
        let (below, text) = match text.strip_prefix("*.") {
            Some(text) => (true, text),
            None => (false, text),
        };
        let url = Url::parse(&format!("https://{text}")).ok()?;
        // Nothing but a host and a port.
        let plain = !text.contains(['/', '?', '#']);
        plain.then_some(Entry { host: url.host, below, port: url.port })
    }

    fn means(&self, url: &Url) -> bool {
        let meant = if self.below {
            url.host.strip_suffix(&self.host).is_some_and(|front| front.ends_with('.'))
        } else {
            url.host == self.host
        };
        meant && url.port == self.port
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn standing(entries: &[&str], url: &str) -> Result<Standing, &'static str> {
        let entries: Vec<String> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        Hosts::new(&entries).unwrap().standing(&Url::parse(url).unwrap())
    }

    #[test]
    fn without_entries_every_host_of_the_internet_may_be_asked_at_its_port() {
        assert_eq!(standing(&[], "https://a.example/x"), Ok(Standing::Public));
        assert_eq!(standing(&[], "https://[2606:4700::1]/x"), Ok(Standing::Public));
        for url in ["https://a.example:8443/x", "https://localhost/x", "https://metadata/x"] {
            assert!(standing(&[], url).is_err(), "{url}");
        }
    }

    #[test]
    fn with_entries_only_those_may_be_asked() {
        let entries = ["a.example", "*.b.example", "c:8443", "[::1]:9443"];
        for url in [
            "https://A.example/x",
            "https://x.b.example/",
            "https://x.y.b.example/",
            "https://c:8443/",
            "https://[::1]:9443/",
        ] {
            assert_eq!(standing(&entries, url), Ok(Standing::Named), "{url}");
        }
        for url in [
            "https://x.a.example/",
            "https://b.example/",
            "https://xb.example/",
            "https://a.example:8443/",
            "https://c/",
            "https://d.example/",
        ] {
            assert!(standing(&entries, url).is_err(), "{url}");
        }
    }

    #[test]
    fn what_is_no_host_is_not_read() {
        for entry in ["", "*", "*.", "a/b", "user@a", "a:0", "https://a", "a b", "*.*.a"] {
            assert!(Hosts::new(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
