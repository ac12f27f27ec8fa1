// One step of each optimiser, one parameter at a time; the moments m and v, the gradient g and the parameters p have one shape.
//
//     adam      decoupled: p = (1 − αλ)·p, else, unless λ = 0: g += λ·p
//               m = β₁·m + (1 − β₁)·g    v = β₂·v + (1 − β₂)·g²    p −= α/c₁ · m / (√(v/c₂) + ε), with cᵢ = 1 − βᵢᵗ
//     momentum  m = μ·m + g              p −= rate·m
//     rmsprop   v = α·v + (1 − α)·g²     p −= rate·g / (√v + ε)
//
// Each thread owns parameters, with their moments.

// Its constants come as double and are rounded once each, as on the host: 1 − β₂ of a β₂ in float is off by 5e-5 of its size.
extern "C" __global__ void __launch_bounds__(256)
adam(double rate, double beta1, double beta2, double epsilon, double decay, int decoupled, double correction1,
     double correction2, Tensor g, Tensor m, Tensor v, Tensor p) {
    const REAL old1 = (REAL)beta1, old2 = (REAL)beta2, new1 = (REAL)(1 - beta1), new2 = (REAL)(1 - beta2);
    const REAL far = (REAL)(rate / correction1), shrink = (REAL)(1 - rate * decay), pull = (REAL)decay;
    const REAL correction = (REAL)correction2, least = (REAL)epsilon;
    const Size size = size_of(p);
    for (Size i = thread(); i < size; i += threads()) {
        const Place at_i = place(p.n, i);
        REAL slope = at(g, at_i), value = at(p, at_i);
        if (decoupled) {
            value *= shrink;
        } else if (pull != 0) { // 0·∞ is NaN
            slope += pull * value;
        }
        const REAL first = old1 * at(m, at_i) + new1 * slope;
        const REAL second = old2 * at(v, at_i) + new2 * (slope * slope);
        at(m, at_i) = first;
        at(v, at_i) = second;
        at(p, at_i) = value - far * first / (sqrt(second / correction) + least);
    }
}

extern "C" __global__ void __launch_bounds__(256) momentum(REAL rate, REAL mu, Tensor g, Tensor m, Tensor p) {
    const Size size = size_of(p);
    for (Size i = thread(); i < size; i += threads()) {
        const Place at_i = place(p.n, i);
        const REAL velocity = mu * at(m, at_i) + at(g, at_i);
        at(m, at_i) = velocity;
        at(p, at_i) -= rate * velocity;
    }
}

extern "C" __global__ void __launch_bounds__(256)
rmsprop(REAL rate, REAL alpha, REAL epsilon, Tensor g, Tensor v, Tensor p) {
    const Size size = size_of(p);
    for (Size i = thread(); i < size; i += threads()) {
        const Place at_i = place(p.n, i);
        const REAL slope = at(g, at_i);
        const REAL second = alpha * at(v, at_i) + (1 - alpha) * (slope * slope);
        at(v, at_i) = second;
        at(p, at_i) -= rate * slope / (sqrt(second) + epsilon);
    }
}
