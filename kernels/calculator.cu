// Exact episodes of the calculator: each step is a look-up in the table of its states, as on the host.
//
// A thread owns an episode. The context is drawn from the episode's own stream. The values of the operands are not needed.

// Starts B episodes: contexts[L,B] = operands and, last, the token that ends a context. Episode b draws from stream first + b.
extern "C" __global__ void __launch_bounds__(256)
calculator_reset(Task task, unsigned stage, unsigned batch, Size seed, unsigned purpose, unsigned update, unsigned first,
                 unsigned* contexts, Episode* episodes) {
    for (Size b = thread(); b < batch; b += threads()) {
        const Stream stream = {seed, purpose, update, first + (unsigned)b};
        unsigned used = 0;
        for (unsigned k = 0; k < task.operands[stage]; k++) contexts[(Size)k * batch + b] = digit(stream, used);
        contexts[(Size)task.operands[stage] * batch + b] = 10; // CTX
        episodes[b] = start_of(task, stage);
    }
}

// Takes an action in each episode. An ended episode stays unchanged and earns nothing. An invalid action is not taken, and *bad
// becomes 1 + the largest invalid action.
extern "C" __global__ void __launch_bounds__(256)
calculator_step(Task task, unsigned stage, unsigned batch, const unsigned* actions, Episode* episodes, double* rewards,
                unsigned* tokens, unsigned* done, unsigned* bad) {
    for (Size b = thread(); b < batch; b += threads()) {
        const unsigned action = actions[b];
        if (action >= task.actions) {
            atomicMax(bad, action == 0xffffffffu ? action : action + 1);
            continue;
        }
        Episode e = episodes[b];
        rewards[b] = e.state < 2 ? 0.0 : advance(task, stage, e, action);
        episodes[b] = e;
        tokens[b] = task.tokens[action];
        done[b] = e.state < 2;
    }
}
