// y = a ∘ b, element by element; strides of 0 broadcast a and b to the shape of y.
//
// Each thread owns elements of y.

enum Binary { ADD, SUB, MUL, DIV };

extern "C" __global__ void __launch_bounds__(256) binary(int op, Tensor a, Tensor b, Tensor y) {
    const Size size = size_of(y);
    for (Size i = thread(); i < size; i += threads()) {
        const Position p = position(y.n, i);
        const REAL l = element(a, p), r = element(b, p);
        element(y, p) = op == ADD ? l + r : op == SUB ? l - r : op == MUL ? l * r : l / r;
    }
}
