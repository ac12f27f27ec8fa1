//! Reading: what a safetensors file holds and where. Nothing about the file is believed before it is looked at, and
//! no more memory is taken than it warrants.
//!
//! The `safetensors` crate understands the header. What it leaves open is checked before: it takes headers of up to
//! 100 MB, for whose parts it may need 64 times their size; it wants the whole file in memory first; and it adds the
//! header's length to offsets that need not be in the file, which may overflow.

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
use super::error::Problem;
use crate::bytes::Stored;

/// The most bytes that a header may have: enough for some eight thousand tensors.
pub(super) const MAX_HEADER: usize = 1 << 20;
/// The bytes that say how long the header is.
const PREFIX: usize = 8;

/// Where a tensor is, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) shape: Vec<usize>,
    /// Bytes of a number.
    pub(super) width: usize,
    /// Its bytes in the file.
    pub(super) data: Range<usize>,
}

/// All bytes of a file that may well be a checkpoint.
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let about = fs::metadata(path).map_err(Problem::Read)?; // before it is opened: that may wait for ever on a pipe
    if !about.is_file() {
        return Err(Problem::Read(io::Error::other("it is a folder, a pipe or a device")));
    }
    let mut file = File::open(path).map_err(Problem::Read)?;
    let mut bytes = Vec::new();
    append(&mut bytes, &mut file, PREFIX as u64).map_err(Problem::Read)?;
    let header = header_length(&bytes, about.len())? as u64;
    append(&mut bytes, &mut file, header).map_err(Problem::Read)?;
    check_header(&bytes[PREFIX..], about.len())?;
    append(&mut bytes, &mut file, about.len() - PREFIX as u64 - header).map_err(Problem::Read)?;
    Ok(bytes)
}

fn append(bytes: &mut Vec<u8>, file: &mut File, length: u64) -> io::Result<()> {
    let room = usize::try_from(length).ok().and_then(|length| bytes.try_reserve_exact(length).ok());
    room.ok_or_else(|| io::Error::new(ErrorKind::OutOfMemory, format!("no memory for {length} bytes")))?;
    file.take(length).read_to_end(bytes).map(drop)
}

/// How long the header is, of a file of `length` bytes that begins with these.
fn header_length(bytes: &[u8], length: u64) -> Result<usize, Problem> {
    let prefix = bytes.first_chunk::<PREFIX>().ok_or(Problem::Truncated { bytes: length })?;
    let header = u64::from_le_bytes(*prefix);
    if header > MAX_HEADER as u64 {
        return Err(Problem::Format(format!("a header of {header} bytes, expected {MAX_HEADER} or fewer")));
    }
    if header > length - PREFIX as u64 { Err(Problem::Truncated { bytes: length }) } else { Ok(header as usize) }
}

/// What a header says.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) tensors: BTreeMap<String, Entry>,
}

/// The header of a file, which is what the file holds if there is a checksum.
pub(super) fn header(bytes: &[u8]) -> Result<Header, Problem> {
    let header = parse(bytes)?;
    let Some(expected) = header.metadata.get(CHECKSUM) else { return Ok(header) };
    let tensors = header.tensors.iter();
    let tensors = tensors.map(|(name, entry)| (&name[..], &entry.shape[..], &bytes[entry.data.clone()]));
    let found = format!("{:08x}", checksum(&header.metadata, tensors));
    if found == *expected { Ok(header) } else { Err(Problem::Damaged { found, expected: expected.clone() }) }
}

fn parse(bytes: &[u8]) -> Result<Header, Problem> {
    let length = bytes.len() as u64;
    let header = header_length(bytes, length)?;
    check_header(&bytes[PREFIX..PREFIX + header], length)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| match error {
        SafeTensorError::MetadataIncompleteBuffer => Problem::Truncated { bytes: length },
        error => Problem::Format(error.to_string()),
    })?;
    let start = bytes.len() - header.data_len();
    let tensors = header.tensors().into_iter().map(|(name, info)| entry(start, name, info));
    let metadata = header.metadata().iter().flatten().map(|(key, value)| (key.clone(), value.clone()));
    Ok(Header { metadata: metadata.collect(), tensors: tensors.collect::<Result<_, _>>()? })
}

fn entry(start: usize, name: String, info: &TensorInfo) -> Result<(String, Entry), Problem> {
    let width = match info.dtype {
        Dtype::F32 => f32::WIDTH,
        Dtype::F64 => f64::WIDTH,
        other => return Err(Problem::Type { name, found: other.to_string() }),
    };
    let (from, to) = info.data_offsets;
    Ok((name, Entry { shape: info.shape.clone(), width, data: start + from..start + to }))
}

/// Whether the header can be that of a file of `length` bytes. The last tensor ends with the file, so that no number is
/// above the length, and the largest is no less than the bytes behind the header.
fn check_header(json: &[u8], length: u64) -> Result<(), Problem> {
    let data = length.saturating_sub((PREFIX + json.len()) as u64);
    let announced = (data..=length).contains(&largest_number(json));
    if announced { Ok(()) } else { Err(Problem::Truncated { bytes: length }) }
}

/// The largest number outside of strings and shapes, or 0. A tensor without elements may have any extents beside its 0,
/// and a shape is compared with the offsets later, in checked arithmetic.
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
    fn numbers_in_strings_do_not_count() {
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
