// y = f(x), and its backward dx += slope(kept)·dy, element by element.
//
// Each thread owns the elements i, i + threads, … of the output. No other thread writes them.

enum Map {
    IDENTITY, NEG, EXP, LOG, SQRT, TANH, SIGMOID, RELU, SQUARE, SCALE, SHIFT, PRIMAL, CONSTANT, RECIP, HALF_RECIP,
    ONE_MINUS_SQUARE, SIGMOID_SLOPE, STEP, ENTROPY_TERM, ENTROPY_SLOPE
};

__device__ inline REAL apply(int f, REAL c, REAL x) {
    switch (f) {
    case NEG: return -x;
    case EXP: return exp(x);
    case LOG: return log(x);
    case SQRT: return sqrt(x);
    case TANH: return tanh(x);
    case SIGMOID: return sigmoid(x);
    case RELU: return x <= 0 ? REAL(0) : x; // NaN stays NaN
    case SQUARE: return x * x;
    case SCALE: return c * x;
    case SHIFT: return x + c;
    case CONSTANT: return c;
    case RECIP: return 1 / x;
    case HALF_RECIP: return 1 / (x + x);
    case ONE_MINUS_SQUARE: return 1 - x * x;
    case SIGMOID_SLOPE: return x * (1 - x);
    case STEP: return x > 0 ? REAL(1) : REAL(0);
    case ENTROPY_TERM: return x == -infinity() ? REAL(0) : -x * exp(x);
    case ENTROPY_SLOPE: return x == -infinity() ? REAL(0) : -(1 + x) * exp(x);
    default: return x; // IDENTITY, PRIMAL
    }
}

extern "C" __global__ void __launch_bounds__(256) map(int f, REAL c, Tensor x, Tensor y) {
    const Size size = size_of(y);
    for (Size i = thread(); i < size; i += threads()) {
        const Position p = position(y.n, i);
        element(y, p) = apply(f, c, element(x, p));
    }
}

// STEP selects instead of multiplying: unless kept > 0, dx gets nothing, even if dy is infinite.
extern "C" __global__ void __launch_bounds__(256) map_backward(int slope, REAL c, Tensor kept, Tensor dy, Tensor dx) {
    const Size size = size_of(dx);
    for (Size i = thread(); i < size; i += threads()) {
        const Position p = position(dx.n, i);
        const REAL k = element(kept, p);
        if (slope != STEP) {
            element(dx, p) += apply(slope, c, k) * element(dy, p);
        } else if (k > 0) {
            element(dx, p) += element(dy, p);
        }
    }
}
