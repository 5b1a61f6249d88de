//! How an entry is made unreadable for whoever has the folder alone, and how it is named in it.
//!
//! Everything comes from the installation's pepper. Each file has a key of its own, made from the pepper
//! and the file's salt, so that no nonce is ever used twice. The owner and the id are sealed in as
//! associated data: a file that is put in another's place does not open.
//!
//! A name ends with a mark of its owner, so that the sweep sees which files are one owner's.

use crate::keys::to_hex;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::{hkdf, hmac};

/// What every file begins with; its last byte is the version of all that stands behind it.
const MAGIC: &[u8; 8] = b"llmgwrs\x01";
/// Bytes of a file's salt.
const SALT: usize = 32;
/// Bytes of a name that say which entry it is, and whose.
const NAME: (usize, usize) = (24, 8);
/// Bytes of the tag at a file's end.
const TAG: usize = 16;

/// Whose entry, and which.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The alias of the key that it belongs to.
    pub owner: &'a str,
    /// The response's id.
    pub id: &'a str,
}

impl Place<'_> {
    /// Both, so that no two places read the same.
    fn bytes(&self) -> Vec<u8> {
        let length = (self.owner.len() as u64).to_le_bytes();
        [MAGIC, &length[..], self.owner.as_bytes(), self.id.as_bytes()].concat()
    }
}

/// Seals and names entries under one pepper.
pub struct Sealer {
    root: hkdf::Prk,
    names: hmac::Key,
}

impl Sealer {
    /// `pepper`: the installation's secret.
    #[must_use]
    pub fn new(pepper: &[u8; 32]) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, MAGIC).extract(pepper);
        // Too long an output is the only thing that can go wrong, and 32 bytes are not; likewise below.
        let names = match root.expand(&[&b"names"[..]], hmac::HMAC_SHA256) {
            Ok(key) => key.into(),
            Err(_) => hmac::Key::new(hmac::HMAC_SHA256, pepper),
        };
        Sealer { root, names }
    }

    /// The name of a place's file: to who does not know the pepper it says which others are of the same
    /// owner, and nothing else.
    #[must_use]
    pub fn name(&self, place: Place<'_>) -> String {
        let sign = |place: Place<'_>| hmac::sign(&self.names, &place.bytes());
        // No entry has an empty id.
        let (entry, owner) = (sign(place), sign(Place { id: "", ..place }));
        to_hex(&[&entry.as_ref()[..NAME.0], &owner.as_ref()[..NAME.1]].concat())
    }

    /// A file's bytes for this content; `None` when the system gives no randomness.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, mut content: Vec<u8>) -> Option<Vec<u8>> {
        let mut salt = [0; SALT];
        getrandom::fill(&mut salt).ok()?;
        let aad = Aad::from(place.bytes());
        self.key(&salt)?.seal_in_place_append_tag(nonce(), aad, &mut content).ok()?;
        Some([MAGIC, &salt[..], &content].concat())
    }

    /// The content of a file; `None` if it is not what was sealed for this place under this pepper.
    #[must_use]
    pub fn open(&self, place: Place<'_>, mut file: Vec<u8>) -> Option<Vec<u8>> {
        let head = MAGIC.len() + SALT;
        if file.len() < head + TAG || !file.starts_with(MAGIC) {
            return None;
        }
        let key = self.key(&file[MAGIC.len()..head])?;
        let aad = Aad::from(place.bytes());
        let length = key.open_within(nonce(), aad, &mut file, head..).ok()?.len();
        file.truncate(length);
        Some(file)
    }

    fn key(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let info = [&b"file"[..], salt];
        let key = self.root.expand(&info, &CHACHA20_POLY1305).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }
}

/// Each key seals one file.
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const HERE: Place<'_> = Place { owner: "app", id: "resp_1" };

    fn sealed(content: &str) -> (Sealer, Vec<u8>) {
        let sealer = Sealer::new(&[7; 32]);
        let file = sealer.seal(HERE, content.into()).unwrap();
        (sealer, file)
    }

    #[test]
    fn what_was_sealed_opens() {
        let (sealer, file) = sealed("a secret");
        assert_eq!(sealer.open(HERE, file).unwrap(), b"a secret");
    }

    #[test]
    fn a_file_says_nothing_of_its_content_and_never_the_same_twice() {
        let (sealer, file) = sealed("a secret");
        assert!(memchr::memmem::find(&file, b"secret").is_none());
        assert_ne!(sealer.seal(HERE, "a secret".into()).unwrap(), file);
    }

    #[test]
    fn another_pepper_opens_nothing() {
        let (_, file) = sealed("a secret");
        assert_eq!(Sealer::new(&[8; 32]).open(HERE, file), None);
    }

    #[test]
    fn a_file_in_anothers_place_does_not_open() {
        let (sealer, file) = sealed("a secret");
        for place in [Place { owner: "other", ..HERE }, Place { id: "resp_2", ..HERE }] {
            assert_eq!(sealer.open(place, file.clone()), None, "{place:?}");
        }
    }

    #[test]
    fn no_flipped_bit_goes_unnoticed() {
        let (sealer, file) = sealed("a");
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sealer.open(HERE, damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_cut_file_does_not_open() {
        let (sealer, file) = sealed("a secret");
        for length in 0..file.len() {
            assert_eq!(sealer.open(HERE, file[..length].to_vec()), None, "{length} bytes");
        }
    }

    #[test]
    fn names_differ_by_owner_by_id_and_by_pepper() {
        let sealer = Sealer::new(&[7; 32]);
        let name = sealer.name(HERE);
        assert_eq!(name.len(), 64);
        assert_ne!(name, sealer.name(Place { owner: "other", ..HERE }));
        assert_ne!(name, sealer.name(Place { id: "resp_2", ..HERE }));
        assert_ne!(name, sealer.name(Place { owner: "appr", id: "esp_1" }));
        assert_ne!(name, Sealer::new(&[8; 32]).name(HERE));
    }
}
