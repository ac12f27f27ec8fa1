//! Writing: the bytes of a safetensors file, and a file that is written whole or not at all.
//!
//! The `safetensors` crate, which reads, would write the metadata in the random order of a hash map; here the same
//! content gives the same bytes.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::format;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::string::String;
use std::vec::Vec;

use tensor::Tensor;

use crate::bytes::{Stored, to_le_bytes};

/// A safetensors file: the length of the header in eight bytes, the header as JSON padded with spaces to a multiple of
/// eight, and the tensors row-major without gaps.
///
/// Source: the README of the `safetensors` library, section "Format".
pub(super) fn encode<T: Stored>(tensors: &[(String, Tensor<T>)], metadata: &BTreeMap<String, String>) -> Vec<u8> {
    let pairs: Vec<String> = metadata.iter().map(|(key, value)| format!("{}:{}", json(key), json(value))).collect();
    let mut header = format!("{{\"__metadata__\":{{{}}}", pairs.join(","));
    let mut data = Vec::new();
    for (name, values) in tensors {
        let start = data.len();
        data.extend(to_le_bytes(values));
        let (name, dtype, shape, end) = (json(name), T::DTYPE, &values.shape()[..], data.len());
        header += &format!(",{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}");
    }
    header.push('}');
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat()
}

/// A JSON string (RFC 8259, section 7).
fn json(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\0'..='\u{1f}' => quoted += &format!("\\u{:04x}", u32::from(c)),
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes beside the file, under its name with `.part` after it, and renames when everything is on the disk. Whatever
/// interrupts this, the file is the old one or the new one; an error means the old one.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = OsString::from(path);
    part.push(".part");
    let part = Path::new(&part);
    let folder = folder_of(path);
    let mut file = File::create(part)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(part, path));
    if written.is_err() {
        fs::remove_file(part).ok(); // the first error is the one to report
    }
    written?;
    if let Some(folder) = folder {
        folder.sync_all().ok(); // the file is in its place: too late for an error
    }
    Ok(())
}

/// The folder, to be synchronised so that the new name survives a loss of power. Not every folder that takes files can
/// be opened, and Windows opens none. Without it a loss of power may bring the old file back, whole, which is no reason
/// not to write the new one.
fn folder_of(path: &Path) -> Option<File> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new("."))).ok()
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use safetensors::SafeTensors;

    use super::*;

    #[test]
    fn the_reader_understands_any_names_and_metadata() {
        let odd = "quote \" backslash \\ newline \n bell \u{7} ü 量";
        let metadata = BTreeMap::from([(odd.to_string(), odd.to_string()), ("a".to_string(), String::new())]);
        let tensors = [(odd.to_string(), Tensor::from([[1.5_f32], [-2.0]])), ("s".to_string(), Tensor::scalar(3.0))];
        let bytes = encode(&tensors, &metadata);
        assert_eq!(bytes, encode(&tensors, &metadata));

        let (header, read) = SafeTensors::read_metadata(&bytes).expect("valid");
        assert_eq!(header % 8, 0);
        assert_eq!(read.metadata().clone().expect("some").into_iter().collect::<BTreeMap<_, _>>(), metadata);
        let file = SafeTensors::deserialize(&bytes).expect("valid");
        let tensor = file.tensor(odd).expect("there");
        assert_eq!((tensor.shape(), tensor.data()), (&[2, 1][..], &[0, 0, 192, 63, 0, 0, 0, 192][..]));
        assert!(file.tensor("s").expect("there").shape().is_empty());
    }

    #[test]
    fn no_tensors_and_no_metadata_are_a_file_too() {
        let bytes = encode::<f64>(&[], &BTreeMap::new());
        assert!(SafeTensors::deserialize(&bytes).expect("valid").is_empty());
    }
}
