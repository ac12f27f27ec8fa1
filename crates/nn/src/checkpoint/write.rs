//! Writing: the bytes of a safetensors file.
//!
//! The `safetensors` crate, which reads, would write the metadata in the random order of a hash map; here the same
//! content gives the same bytes.

use std::collections::BTreeMap;
use std::format;
use std::string::String;
use std::vec::Vec;

use tensor::Tensor;

use super::error::Problem;
use super::read::MAX_HEADER;
use crate::bytes::{Stored, to_le_bytes};

/// A safetensors file: the length of the header in eight bytes, the header as JSON padded with spaces to a multiple of
/// eight, and the tensors row-major without gaps.
///
/// Source: the README of the `safetensors` library, section "Format".
pub(super) fn file<T: Stored>(
    tensors: &[(String, Tensor<T>)],
    metadata: &BTreeMap<String, String>,
) -> Result<Vec<u8>, Problem> {
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
    if header.len() > MAX_HEADER {
        return Err(Problem::Header { bytes: header.len() });
    }
    Ok([&(header.len() as u64).to_le_bytes(), header.as_bytes(), &data].concat())
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
        let bytes = file(&tensors, &metadata).expect("small");
        assert_eq!(bytes, file(&tensors, &metadata).expect("small"));

        let (header, read) = SafeTensors::read_metadata(&bytes).expect("valid");
        assert_eq!(header % 8, 0);
        assert_eq!(read.metadata().clone().expect("some").into_iter().collect::<BTreeMap<_, _>>(), metadata);
        let read = SafeTensors::deserialize(&bytes).expect("valid");
        let tensor = read.tensor(odd).expect("there");
        assert_eq!((tensor.shape(), tensor.data()), (&[2, 1][..], &[0, 0, 192, 63, 0, 0, 0, 192][..]));
        assert!(read.tensor("s").expect("there").shape().is_empty());
    }

    #[test]
    fn no_tensors_and_no_metadata_are_a_file_too() {
        let bytes = file::<f64>(&[], &BTreeMap::new()).expect("small");
        assert!(SafeTensors::deserialize(&bytes).expect("valid").is_empty());
    }
}
