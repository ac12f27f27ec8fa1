// Random numbers by position: Philox 4×32-10, with the host's numbers. The functions are in common.cuh; these kernels call
// them.
//
// A thread owns a block of four words, or a number. Any position of any stream is computed without the earlier ones.

// out[4i …] = philox(counter[4i …], key[2i …]) for i < count.
extern "C" __global__ void __launch_bounds__(256)
philox_blocks(const unsigned* counter, const unsigned* key, unsigned count, unsigned* out) {
    for (Size i = thread(); i < count; i += threads()) {
        const unsigned* c = counter + 4 * i;
        const Words words = philox(c[0], c[1], c[2], c[3], key[2 * i], key[2 * i + 1]);
        for (int k = 0; k < 4; k++) out[4 * i + k] = words.w[k];
    }
}

// out[e,i] = the ith number in [0, 1) of the stream of episode first + e.
extern "C" __global__ void __launch_bounds__(256)
philox_uniform(Size seed, unsigned purpose, unsigned update, unsigned first, unsigned episodes, unsigned count, double* out) {
    for (Size at = thread(); at < (Size)episodes * count; at += threads()) {
        const Stream stream = {seed, purpose, update, first + (unsigned)(at / count)};
        out[at] = uniform(stream, (unsigned)(at % count));
    }
}
