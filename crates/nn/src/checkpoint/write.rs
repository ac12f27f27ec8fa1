//! Writing of safetensors files.
//!
//! The same content gives the same bytes. The `safetensors` crate is used only for reading, because it writes metadata
//! in the random order of a hash map.

use std::borrow::ToOwned;
use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use tensor::Tensor;

use super::checksum::{CHECKSUM, checksum};
use super::error::CheckpointProblem;
use super::read::MAX_HEADER;
use crate::bytes::{Storable, to_le_bytes};

/// Encodes a safetensors file: the length of the header in eight bytes, the header as JSON padded with spaces to a
/// multiple of eight bytes, and the tensors in row-major order without gaps, sorted by name.
///
/// Source: the README of the `safetensors` library, section "Format".
pub(super) fn encode_file<T: Storable>(
    tensors: &BTreeMap<String, Tensor<T>>,
    mut metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>, CheckpointProblem> {
    let parts: Vec<_> = tensors.values().map(|values| (values.shape(), to_le_bytes(values))).collect();
    let contents = tensors.keys().zip(&parts).map(|(name, (shape, data))| (&name[..], &shape[..], &data[..]));
    metadata.insert(CHECKSUM.to_owned(), format!("{:08x}", checksum(&metadata, contents.clone())));

    let pairs: Vec<String> =
        metadata.iter().map(|(key, value)| format!("{}:{}", json_string(key), json_string(value))).collect();
    let mut header = format!("{{\"__metadata__\":{{{}}}", pairs.join(","));
    let mut start = 0;
    for (name, shape, data) in contents {
        let (name, dtype, end) = (json_string(name), T::DTYPE, start + data.len());
        header += &format!(",{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{start},{end}]}}");
        start = end;
    }
    header.push('}');
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    if header.len() > MAX_HEADER {
        return Err(CheckpointProblem::Header { bytes: header.len(), max: MAX_HEADER });
    }
    let mut bytes = [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat();
    parts.iter().for_each(|(_, data)| bytes.extend(data));
    Ok(bytes)
}

/// Quotes a JSON string (RFC 8259, section 7).
fn json_string(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use safetensors::SafeTensors;

    use super::*;

    #[test]
    fn encode_file_any_names_and_metadata_can_be_read() {
        let odd = "quote \" backslash \\ newline \n bell \u{7} ü 量";
        let metadata = BTreeMap::from([(odd.to_string(), odd.to_string()), ("a".to_string(), String::new())]);
        let tensors = [(odd, Tensor::from([[1.5_f32], [-2.0]])), ("s", Tensor::scalar(3.0))];
        let tensors = tensors.map(|(name, values)| (name.to_string(), values)).into();
        let bytes = encode_file(&tensors, metadata.clone()).expect("small");
        assert_eq!(bytes, encode_file(&tensors, metadata.clone()).expect("small"));

        let (header, read) = SafeTensors::read_metadata(&bytes).expect("valid");
        assert_eq!(header % 8, 0);
        let mut found: BTreeMap<_, _> = read.metadata().clone().expect("some").into_iter().collect();
        assert_eq!(found.remove(CHECKSUM).map(|digits| digits.len()), Some(8));
        assert_eq!(found, metadata);
        let read = SafeTensors::deserialize(&bytes).expect("valid");
        let tensor = read.tensor(odd).expect("there");
        assert_eq!((tensor.shape(), tensor.data()), (&[2, 1][..], &[0, 0, 192, 63, 0, 0, 0, 192][..]));
        assert!(read.tensor("s").expect("there").shape().is_empty());
    }

    #[test]
    fn encode_file_without_tensors_and_metadata_is_valid() {
        let bytes = encode_file::<f64>(&BTreeMap::new(), BTreeMap::new()).expect("small");
        assert!(SafeTensors::deserialize(&bytes).expect("valid").is_empty());
    }
}
