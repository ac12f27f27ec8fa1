// A step of each optimiser. The moments m and v, the gradient g and the parameters p have one shape.
//
//     adam      if decoupled: p = (1 − αλ)·p, else if λ ≠ 0: g += λ·p
//               m = β₁·m + (1 − β₁)·g    v = β₂·v + (1 − β₂)·g²    p −= α/c₁ · m / (√(v/c₂) + ε), with cᵢ = 1 − βᵢᵗ
//     momentum  m = μ·m + g              p −= rate·m
//     rmsprop   v = α·v + (1 − α)·g²     p −= rate·g / (√v + ε)
//
// Each thread owns parameters and their moments.

// The constants are double and rounded once each, as on the host: 1 − β₂ with β₂ rounded to float has a relative error of 5e-5.
extern "C" __global__ void __launch_bounds__(256)
adam(double rate, double beta1, double beta2, double epsilon, double decay, int decoupled, double correction1,
     double correction2, Tensor g, Tensor m, Tensor v, Tensor p) {
    const REAL old1 = (REAL)beta1, old2 = (REAL)beta2, new1 = (REAL)(1 - beta1), new2 = (REAL)(1 - beta2);
    const REAL far = (REAL)(rate / correction1), shrink = (REAL)(1 - rate * decay), pull = (REAL)decay;
    const REAL correction = (REAL)correction2, least = (REAL)epsilon;
    const Size size = size_of(p);
    for (Size i = thread(); i < size; i += threads()) {
        const Position at_i = position(p.n, i);
        REAL slope = element(g, at_i), value = element(p, at_i);
        if (decoupled) {
            value *= shrink;
        } else if (pull != 0) { // 0·∞ is NaN
            slope += pull * value;
        }
        const REAL first = old1 * element(m, at_i) + new1 * slope;
        const REAL second = old2 * element(v, at_i) + new2 * (slope * slope);
        element(m, at_i) = first;
        element(v, at_i) = second;
        element(p, at_i) = value - far * first / (sqrt(second / correction) + least);
    }
}

extern "C" __global__ void __launch_bounds__(256) momentum(REAL rate, REAL mu, Tensor g, Tensor m, Tensor p) {
    const Size size = size_of(p);
    for (Size i = thread(); i < size; i += threads()) {
        const Position at_i = position(p.n, i);
        const REAL velocity = mu * element(m, at_i) + element(g, at_i);
        element(m, at_i) = velocity;
        element(p, at_i) -= rate * velocity;
    }
}

extern "C" __global__ void __launch_bounds__(256)
rmsprop(REAL rate, REAL alpha, REAL epsilon, Tensor g, Tensor v, Tensor p) {
    const Size size = size_of(p);
    for (Size i = thread(); i < size; i += threads()) {
        const Position at_i = position(p.n, i);
        const REAL slope = element(g, at_i);
        const REAL second = alpha * element(v, at_i) + (1 - alpha) * (slope * slope);
        element(v, at_i) = second;
        element(p, at_i) -= rate * slope / (sqrt(second) + epsilon);
    }
}
