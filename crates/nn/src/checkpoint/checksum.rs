//! The checksum of a checkpoint. It detects damaged files, so that no damaged number becomes a parameter.
//!
//! It covers the content, not the bytes of the file: metadata, names, shapes and data, sorted by name. Therefore another
//! program may write the same content in another order.

use std::collections::BTreeMap;
use std::string::String;

use crc32fast::Hasher;

/// The metadata key of the checksum. Its value is eight hexadecimal digits.
pub(super) const CHECKSUM: &str = "crc32";

/// Computes the checksum of the metadata, without the entry [`CHECKSUM`], and of tensors sorted by name: the CRC-32 of gzip (RFC
/// 1952, section 8) of all byte strings, each followed by its length. It detects every burst error of up to 32 bits.
pub(super) fn checksum<'a>(
    metadata: &BTreeMap<String, String>,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> u32 {
    let mut crc = Hasher::new();
    let mut add = |bytes: &[u8]| {
        crc.update(bytes);
        crc.update(&(bytes.len() as u64).to_le_bytes());
    };
    for (key, value) in metadata.iter().filter(|(key, _)| *key != CHECKSUM) {
        add(key.as_bytes());
        add(value.as_bytes());
    }
    for (name, shape, data) in tensors {
        add(name.as_bytes());
        shape.iter().for_each(|&extent| add(&(extent as u64).to_le_bytes()));
        add(data);
    }
    crc.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The CRC-32 of "a", "bc", "w", the extents and the data, each with its length, by the `zlib.crc32` of Python.
    #[test]
    fn checksum_is_the_crc_of_all_strings_with_their_lengths() {
        let metadata = BTreeMap::from([("a".into(), "bc".into())]);
        assert_eq!(checksum(&metadata, [("w", &[2, 3][..], &[1, 2][..])].into_iter()), 0xafaf_a66f);
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
