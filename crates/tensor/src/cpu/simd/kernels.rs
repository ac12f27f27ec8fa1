//! The trait's methods: what has a file beside this one, and what is left to [`Fast`].

use super::isa::Isa;
use super::{Simd, elementwise, gru, index, matmul, optim, reduce, softmax};
use crate::cpu::Fast;
use crate::kernels::{AdamStep, Binary, Form, Kernels, Reduce};
use crate::map::Map;
use crate::view::{View, ViewMut};

/// Methods that take a token more than the functions of the same name have arguments; and those that `Fast` does.
macro_rules! methods {
    (here { $($module:ident::$own:ident($($x:ident: $x_type:ty),*) $(-> $out:ty)?;)* }
     fast { $($fast:ident($($z:ident: $z_type:ty),*);)* }) => {
        impl<S: Isa> Kernels<f32> for Simd<S> {
            fn name(&self) -> &'static str {
                S::NAME
            }
            $(fn $own(&self, $($x: $x_type),*) $(-> $out)? {
                $module::$own(self.0, $($x),*)
            })*
            $(fn $fast(&self, $($z: $z_type),*) {
                Fast.$fast($($z),*);
            })*
        }
    };
}

methods! {
    here {
        elementwise::map(f: Map<f32>, x: View<f32>, y: ViewMut<f32>);
        elementwise::map_backward(slope: Map<f32>, kept: View<f32>, dy: View<f32>, dx: ViewMut<f32>);
        elementwise::binary(op: Binary, a: View<f32>, b: View<f32>, y: ViewMut<f32>);
        reduce::sum_to(alpha: f32, dy: View<f32>, dx: ViewMut<f32>);
        reduce::sum_of_squares(x: View<f32>) -> f32;
        matmul::matmul(form: Form, a: View<f32>, b: View<f32>, accumulate: bool, y: ViewMut<f32>);
        softmax::softmax(x: View<f32>, y: ViewMut<f32>);
        softmax::log_softmax(x: View<f32>, y: ViewMut<f32>);
        softmax::log_softmax_backward(y: View<f32>, dy: View<f32>, dx: ViewMut<f32>);
        index::gather_rows(table: View<f32>, index: View<u32>, y: ViewMut<f32>);
        index::scatter_add_rows(index: View<u32>, dy: View<f32>, dtable: ViewMut<f32>);
        gru::gru_gates(
            gx: View<f32>, rows: Option<View<u32>>, hw: View<f32>, b: View<f32>, h: View<f32>, kept: ViewMut<f32>,
            y: ViewMut<f32>
        );
        gru::gru_gates_backward(
            kept: View<f32>, h: View<f32>, dy: View<f32>, rows: Option<View<u32>>, dgx: ViewMut<f32>, dgh: ViewMut<f32>,
            dh: ViewMut<f32>
        );
        optim::adam(with: AdamStep, g: View<f32>, m: ViewMut<f32>, v: ViewMut<f32>, p: ViewMut<f32>);
    }
    fast {
        sum_product_to(alpha: f32, a: View<f32>, b: View<f32>, dx: ViewMut<f32>);
        reduce(how: Reduce, x: View<f32>, axis: usize, y: ViewMut<f32>);
        argmax(x: View<f32>, y: ViewMut<u32>);
        softmax_backward(y: View<f32>, dy: View<f32>, dx: ViewMut<f32>);
        logsumexp(x: View<f32>, y: ViewMut<f32>);
        logsumexp_backward(x: View<f32>, y: View<f32>, dy: View<f32>, dx: ViewMut<f32>);
        gather(x: View<f32>, index: View<u32>, y: ViewMut<f32>);
        scatter_add(index: View<u32>, dy: View<f32>, dx: ViewMut<f32>);
        layer_norm(x: View<f32>, w: View<f32>, b: View<f32>, epsilon: f32, y: ViewMut<f32>, stats: ViewMut<f32>);
        layer_norm_backward(
            x: View<f32>, w: View<f32>, stats: View<f32>, dy: View<f32>, dx: Option<ViewMut<f32>>, dw: Option<ViewMut<f32>>
        );
        momentum(rate: f32, mu: f32, g: View<f32>, m: ViewMut<f32>, p: ViewMut<f32>);
        rmsprop(rate: f32, alpha: f32, epsilon: f32, g: View<f32>, v: ViewMut<f32>, p: ViewMut<f32>);
    }
}
