//! Conversion of parameters to and from little-endian bytes, with or without files.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use tensor::{Real, Tensor};

use crate::params::Params;

/// A scalar that can be stored: `f32` or `f64`. A [`Dual`](tensor::Dual) exists only during derivative computations and
/// cannot be stored.
pub trait Storable: Real {
    /// The name of the type in a safetensors file.
    const DTYPE: &'static str;
    /// The number of bytes of one value.
    const WIDTH: usize;
    /// Appends the bytes of the value.
    fn write_le(self, to: &mut Vec<u8>);
}

macro_rules! impl_storable {
    ($($t:ty, $name:literal);*) => {$(
        impl Storable for $t {
            const DTYPE: &'static str = $name;
            const WIDTH: usize = size_of::<Self>();
            fn write_le(self, to: &mut Vec<u8>) { to.extend(self.to_le_bytes()) }
        }
    )*};
}
impl_storable!(f32, "F32"; f64, "F64");

/// Decodes `f32`s (`width` 4) or `f64`s (`width` 8).
pub(crate) fn decode_floats<T: Real>(width: usize, bytes: &[u8]) -> Vec<T> {
    match width {
        4 => bytes.as_chunks().0.iter().map(|&word| T::from_f64(f32::from_le_bytes(word).into())).collect(),
        8 => bytes.as_chunks().0.iter().map(|&word| T::from_f64(f64::from_le_bytes(word))).collect(),
        _ => unreachable!("numbers are stored in 4 or 8 bytes"),
    }
}

/// The reason why bytes cannot be loaded into parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BytesError {
    /// The number of bytes is wrong.
    Length {
        /// The number of bytes given.
        found: usize,
        /// The number of elements of the parameters.
        numbers: usize,
    },
    /// A number is infinite or NaN, or becomes so in the parameters' scalar type.
    NotFinite {
        /// The parameter that would hold this number.
        parameter: String,
    },
}

impl fmt::Display for BytesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found, numbers } => write!(
                f,
                "{found} bytes, expected {} (f32) or {} (f64) for {numbers} numbers; use the bytes of the same model",
                4 * numbers,
                8 * numbers
            ),
            Self::NotFinite { parameter } => {
                write!(f, "{parameter} holds a number that is not finite; use the bytes of an earlier state")
            }
        }
    }
}

impl core::error::Error for BytesError {}

impl<T: Storable> Params<T> {
    /// Returns the bytes of all values, in the order in which the parameters were added.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        to_le_bytes(self.flat())
    }
}

pub(crate) fn to_le_bytes<T: Storable>(values: &Tensor<T>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(T::WIDTH * values.size());
    values.to_vec().into_iter().for_each(|x| x.write_le(&mut bytes));
    bytes
}

impl<T: Real> Params<T> {
    /// Loads all values from the bytes of [`to_le_bytes`](Self::to_le_bytes). The length decides between `f32` and
    /// `f64`. So a program without files can load parameters.
    ///
    /// # Errors
    /// If the length fits neither type, or a value is not finite. The parameters are then unchanged.
    pub fn copy_from_le_bytes(&mut self, bytes: &[u8]) -> Result<(), BytesError> {
        let numbers = self.size();
        let width = [4, 8].into_iter().find(|width| width * numbers == bytes.len());
        let width = width.ok_or(BytesError::Length { found: bytes.len(), numbers })?;
        let flat = Tensor::new([numbers], decode_floats(width, bytes));
        if let Some(name) = self.first_not_finite_name_in(&flat) {
            return Err(BytesError::NotFinite { parameter: name.into() });
        }
        *self.flat_mut() = flat.to_device(self.flat().device());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    fn params<T: Real>() -> Params<T> {
        let mut params = Params::new();
        params.add("a", &Tensor::from([1.5, -0.0].map(T::from_f64)));
        params.add("b", &Tensor::from([[0.1], [1e-40]].map(|row| row.map(T::from_f64))));
        params
    }

    fn bits(params: &Params<f64>) -> Vec<u64> {
        params.flat().to_vec().into_iter().map(f64::to_bits).collect()
    }

    #[test]
    fn params_bytes_round_trip_bit_for_bit() {
        let (wide, narrow) = (params::<f64>(), params::<f32>());
        assert_eq!(wide.to_le_bytes()[..8], 1.5_f64.to_le_bytes());
        let mut back = wide.clone();
        back.flat_mut().view_mut().fill(9.0);
        back.copy_from_le_bytes(&wide.to_le_bytes()).expect("as many");
        assert_eq!(bits(&back), bits(&wide));
        back.copy_from_le_bytes(&narrow.to_le_bytes()).expect("as many");
        assert_eq!(bits(&back), bits(&narrow.cast()));
    }

    #[test]
    fn params_bytes_of_wrong_length_are_refused() {
        let mut params = params::<f64>();
        let before = bits(&params);
        for length in (0..40).filter(|&length| length != 16 && length != 32) {
            let error = params.copy_from_le_bytes(&alloc::vec![0; length]).expect_err("neither");
            assert_eq!(error, BytesError::Length { found: length, numbers: 4 });
        }
        let error = params.copy_from_le_bytes(&[0; 17]).expect_err("neither");
        assert_eq!(
            error.to_string(),
            "17 bytes, expected 16 (f32) or 32 (f64) for 4 numbers; use the bytes of the same model"
        );
        assert_eq!(bits(&params), before);
    }

    #[test]
    fn params_bytes_that_overflow_the_scalar_are_refused() {
        let mut wide = params::<f64>();
        wide.flat_mut().view_mut().set(&[3], 1e300);
        let mut narrow = params::<f32>();
        let error = narrow.copy_from_le_bytes(&wide.to_le_bytes()).expect_err("1e300 is no f32");
        assert_eq!(error.to_string(), "b holds a number that is not finite; use the bytes of an earlier state");
        assert_eq!(narrow.to_le_bytes(), params::<f32>().to_le_bytes());
    }
}
