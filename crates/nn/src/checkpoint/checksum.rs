//! The checksum of a checkpoint. It detects damaged files, so that no damaged number becomes a parameter.
//!
//! It covers the content, not the bytes of the file: metadata, names, shapes and data, sorted by name. Therefore another
//! program may write the same content in another order.

use std::collections::BTreeMap;
use std::string::String;

/// The metadata key of the checksum. Its value is eight hexadecimal digits.
pub(super) const CHECKSUM: &str = "crc32";

/// Computes the checksum of the metadata, without the entry [`CHECKSUM`], and of tensors sorted by name.
pub(super) fn checksum<'a>(
    metadata: &BTreeMap<String, String>,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> u32 {
    let mut crc = Crc32(!0);
    for (key, value) in metadata.iter().filter(|(key, _)| *key != CHECKSUM) {
        crc.add_framed(key.as_bytes());
        crc.add_framed(value.as_bytes());
    }
    for (name, shape, data) in tensors {
        crc.add_framed(name.as_bytes());
        shape.iter().for_each(|&extent| crc.add_framed(&(extent as u64).to_le_bytes()));
        crc.add_framed(data);
    }
    !crc.0
}

/// CRC-32 of byte strings, each followed by its length. It detects every burst error of up to 32 bits.
///
/// Source: RFC 1952 (gzip), section 8.
struct Crc32(u32);

impl Crc32 {
    fn add_framed(&mut self, bytes: &[u8]) {
        self.add_bytes(bytes);
        self.add_bytes(&(bytes.len() as u64).to_le_bytes());
    }

    fn add_bytes(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |crc, &byte| TABLE[usize::from(crc as u8 ^ byte)] ^ crc >> 8);
    }
}

/// The effect of one byte: eight division steps by the polynomial.
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

    /// The check value of CRC-32/ISO-HDLC in the catalogue of parametrised CRC algorithms (G. Cook).
    #[test]
    fn crc32_matches_the_published_check_value() {
        let mut crc = Crc32(!0);
        crc.add_bytes(b"123456789");
        assert_eq!(!crc.0, 0xcbf4_3926);
    }

    #[test]
    fn checksum_depends_on_everything_but_its_own_entry() {
        let metadata = |pairs: &[(&str, &str)]| pairs.iter().map(|&(k, v)| (k.into(), v.into())).collect();
        let checksum_of = |pairs, name, shape, data| checksum(&metadata(pairs), [(name, shape, data)].into_iter());
        let all: [u32; 6] = [
            checksum_of(&[("a", "bc")], "w", &[2, 3], &[1, 2]),
            checksum_of(&[("ab", "c")], "w", &[2, 3], &[1, 2]),
            checksum_of(&[], "w", &[2, 3], &[1, 2]),
            checksum_of(&[("a", "bc")], "v", &[2, 3], &[1, 2]),
            checksum_of(&[("a", "bc")], "w", &[3, 2], &[1, 2]),
            checksum_of(&[("a", "bc")], "w", &[2, 3], &[2, 1]),
        ];
        (0..6).for_each(|i| (0..i).for_each(|j| assert_ne!(all[i], all[j], "{i} {j}")));
        assert_eq!(checksum_of(&[("a", "bc"), ("crc32", "x")], "w", &[2, 3], &[1, 2]), all[0]);
    }
}
