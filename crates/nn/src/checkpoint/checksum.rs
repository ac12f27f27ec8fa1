//! A checksum of what a checkpoint holds, so that a damaged number is not taken for a learned one.
//!
//! It is that of the content rather than of the file: metadata, names, shapes and bytes, sorted by name. Another program
//! may write the same content in another order.

use std::collections::BTreeMap;
use std::string::String;

/// The key of the checksum in the metadata, where it stands as eight hexadecimal digits.
pub(super) const CHECKSUM: &str = "crc32";

/// The checksum of metadata, in which that under [`CHECKSUM`] does not count, and of tensors sorted by name.
pub(super) fn checksum<'a>(
    metadata: &BTreeMap<String, String>,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> u32 {
    let mut crc = Crc32(!0);
    for (key, value) in metadata.iter().filter(|(key, _)| *key != CHECKSUM) {
        crc.part(key.as_bytes());
        crc.part(value.as_bytes());
    }
    for (name, shape, data) in tensors {
        crc.part(name.as_bytes());
        shape.iter().for_each(|&extent| crc.part(&(extent as u64).to_le_bytes()));
        crc.part(data);
    }
    !crc.0
}

/// CRC-32 of the parts, each followed by its length. It sees every change of up to 32 bits in a row.
///
/// Source: RFC 1952 (gzip), section 8.
struct Crc32(u32);

impl Crc32 {
    fn part(&mut self, bytes: &[u8]) {
        self.bytes(bytes);
        self.bytes(&(bytes.len() as u64).to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |crc, &byte| TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8);
    }
}

/// What a byte does: eight divisions by the polynomial.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut rest = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            rest = if rest & 1 == 1 { 0xedb8_8320 ^ rest >> 1 } else { rest >> 1 };
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogue of parametrised CRC algorithms (G. Cook), CRC-32/ISO-HDLC.
    #[test]
    fn the_published_check_value() {
        let mut crc = Crc32(!0);
        crc.bytes(b"123456789");
        assert_eq!(!crc.0, 0xcbf4_3926);
    }

    #[test]
    fn it_depends_on_everything_but_itself() {
        let about = |pairs: &[(&str, &str)]| pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect();
        let of = |pairs, name, shape, data| checksum(&about(pairs), [(name, shape, data)].into_iter());
        let all: [u32; 6] = [
            of(&[("a", "bc")], "w", &[2, 3], &[1, 2]),
            of(&[("ab", "c")], "w", &[2, 3], &[1, 2]),
            of(&[], "w", &[2, 3], &[1, 2]),
            of(&[("a", "bc")], "v", &[2, 3], &[1, 2]),
            of(&[("a", "bc")], "w", &[3, 2], &[1, 2]),
            of(&[("a", "bc")], "w", &[2, 3], &[2, 1]),
        ];
        (0..6).for_each(|i| (0..i).for_each(|j| assert_ne!(all[i], all[j], "{i} {j}")));
        assert_eq!(of(&[("a", "bc"), ("crc32", "x")], "w", &[2, 3], &[1, 2]), all[0]);
    }
}
