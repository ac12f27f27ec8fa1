//! Reading of safetensors files. Every length and offset in the file is checked before use, and the memory use is
//! proportional to the size of the file.
//!
//! The `safetensors` crate parses the header. Three of its limits are checked here first. It accepts headers of up to
//! 100 MB and may need 64 times their size in memory. It needs the whole file in memory. It adds the header's length to
//! offsets that need not lie in the file, and the sum may overflow.

use std::collections::BTreeMap;
use std::format;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;

use safetensors::tensor::TensorInfo;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use super::checksum::{CHECKSUM, checksum};
use super::error::CheckpointProblem;
use crate::bytes::Storable;

/// The maximum length of a header in bytes. It is enough for about eight thousand tensors.
pub(super) const MAX_HEADER: usize = 1 << 20;
/// The number of bytes that hold the header's length.
const PREFIX: usize = 8;

/// The shape, type and position of a tensor.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) shape: Vec<usize>,
    /// The number of bytes of one value.
    pub(super) width: usize,
    /// The range of its bytes in the file.
    pub(super) data: Range<usize>,
}

/// Reads all bytes of a file, if its header is plausible.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, CheckpointProblem> {
    let metadata = fs::metadata(path).map_err(CheckpointProblem::Read)?; // before opening, which may block forever on a pipe
    if !metadata.is_file() {
        return Err(CheckpointProblem::Read(io::Error::other("it is a folder, a pipe or a device")));
    }
    let mut file = File::open(path).map_err(CheckpointProblem::Read)?;
    let mut bytes = Vec::new();
    read_into(&mut bytes, &mut file, PREFIX as u64).map_err(CheckpointProblem::Read)?;
    let header = read_header_length(&bytes, metadata.len())? as u64;
    read_into(&mut bytes, &mut file, header).map_err(CheckpointProblem::Read)?;
    check_header(&bytes[PREFIX..], metadata.len())?;
    read_into(&mut bytes, &mut file, metadata.len() - PREFIX as u64 - header).map_err(CheckpointProblem::Read)?;
    Ok(bytes)
}

fn read_into(bytes: &mut Vec<u8>, file: &mut File, length: u64) -> io::Result<()> {
    let reserved = usize::try_from(length).ok().and_then(|length| bytes.try_reserve_exact(length).ok());
    reserved.ok_or_else(|| io::Error::new(ErrorKind::OutOfMemory, format!("no memory for {length} bytes")))?;
    file.take(length).read_to_end(bytes).map(drop)
}

/// Returns the length of the header. `bytes` is the beginning of a file of `length` bytes.
fn read_header_length(bytes: &[u8], length: u64) -> Result<usize, CheckpointProblem> {
    let prefix = bytes.first_chunk::<PREFIX>().ok_or(CheckpointProblem::Truncated { bytes: length })?;
    let header = u64::from_le_bytes(*prefix);
    if header > MAX_HEADER as u64 {
        return Err(CheckpointProblem::Format(format!("a header of {header} bytes, expected {MAX_HEADER} or fewer")));
    }
    if header > length - PREFIX as u64 {
        Err(CheckpointProblem::Truncated { bytes: length })
    } else {
        Ok(header as usize)
    }
}

/// The content of a header.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tensors: BTreeMap<String, Entry>,
}

/// Reads the header of a file. If it has a checksum, the content is checked against it.
pub(super) fn read_header(bytes: &[u8]) -> Result<Header, CheckpointProblem> {
    let header = parse_header(bytes)?;
    let Some(expected) = header.metadata.get(CHECKSUM) else { return Ok(header) };
    let tensors = header.tensors.iter();
    let tensors = tensors.map(|(name, entry)| (&name[..], &entry.shape[..], &bytes[entry.data.clone()]));
    let found = format!("{:08x}", checksum(&header.metadata, tensors));
    if found == *expected { Ok(header) } else { Err(CheckpointProblem::Damaged { found, expected: expected.clone() }) }
}

fn parse_header(bytes: &[u8]) -> Result<Header, CheckpointProblem> {
    let length = bytes.len() as u64;
    let header = read_header_length(bytes, length)?;
    check_header(&bytes[PREFIX..PREFIX + header], length)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| match error {
        SafeTensorError::MetadataIncompleteBuffer => CheckpointProblem::Truncated { bytes: length },
        error => CheckpointProblem::Format(error.to_string()),
    })?;
    let start = bytes.len() - header.data_len();
    let tensors = header.tensors().into_iter().map(|(name, info)| parse_entry(start, name, info));
    let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    Ok(Header { metadata: metadata.collect(), tensors: tensors.collect::<Result<_, _>>()? })
}

fn parse_entry(start: usize, name: String, info: &TensorInfo) -> Result<(String, Entry), CheckpointProblem> {
    let width = match info.dtype {
        Dtype::F32 => f32::WIDTH,
        Dtype::F64 => f64::WIDTH,
        other => return Err(CheckpointProblem::Type { name, found: other.to_string() }),
    };
    let (from, to) = info.data_offsets;
    Ok((name, Entry { shape: info.shape.clone(), width, data: start + from..start + to }))
}

/// Checks that the header can belong to a file of `length` bytes. The last tensor ends with the file. Therefore no number
/// is above the length, and the largest number is at least the number of bytes after the header.
fn check_header(json: &[u8], length: u64) -> Result<(), CheckpointProblem> {
    let data = length.saturating_sub((PREFIX + json.len()) as u64);
    let fits = (data..=length).contains(&largest_number(json));
    if fits { Ok(()) } else { Err(CheckpointProblem::Truncated { bytes: length }) }
}

/// Returns the largest number outside of strings and shapes, or 0. Shapes are skipped because a tensor without elements
/// may have any extents next to its 0. They are compared with the offsets later, in checked arithmetic.
fn largest_number(json: &[u8]) -> u64 {
    let (mut quoted, mut escaped, mut number) = (false, false, 0_u64);
    let (mut key, mut in_shape) = (0..0, false);
    let numbers = json.iter().enumerate().map(|(at, &byte)| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => {
                quoted = !quoted;
                key = if quoted { at + 1..at } else { key.start..at };
            }
            _ if quoted => {}
            b'[' => in_shape = json.get(key.clone()) == Some(b"shape"),
            b']' => in_shape = false,
            b'{' | b',' => key = 0..0,
            _ => {}
        }
        let digit = (byte as char).to_digit(10).filter(|_| !quoted && !in_shape);
        number = digit.map_or(0, |digit| number.saturating_mul(10).saturating_add(digit.into()));
        number
    });
    numbers.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn largest_number_ignores_strings_and_shapes() {
        for (json, largest) in [
            ("", 0),
            ("[100, 99]", 100),
            ("[1,00]", 1),
            ("[99999999999999999999999]", u64::MAX),
            (r#"{"101":"\"102"}"#, 0),
            (r#"{"\\":101}"#, 101),
            (r#"{"a\\\"101":"\\","b":5}"#, 5),
            (r#"{"shape":[101,0],"b":[5]}"#, 5),
            (r#"{"shape" : [101, 0],"data_offsets":[0,7]}"#, 7),
            (r#"{"shape":{"data_offsets":[101]}}"#, 101),
            (r#"{"a":"shape","b":[101]}"#, 101),
            (r#"["shape",[101]]"#, 101),
            (r#"{"reshape":[101]}"#, 101),
            (r#"{"shape":[[7],101]}"#, 101),
            (r#"{"shape":7}"#, 7),
        ] {
            assert_eq!(largest_number(json.as_bytes()), largest, "{json}");
        }
    }
}
