/* A program with a child's story and a cold section, for sessions/checks.sh: HOW the first comes to the second is given with -D.
   The names are Rust's. */
#define NAMED(name) __asm__(name)

void story(void) NAMED("_RNvNtCs0_8mydocker4init5story");
void between(void) NAMED("_RNvNtCs0_8mydocker7perform4step");
void cold(void) NAMED("_RNvNtCs0_8mydocker4copy4tree");

#if defined TABLE
static void (*const table[])(void) = {between, cold};
int which;
#elif defined POINTER
void (*volatile kept)(void);
#endif
volatile int done;

__attribute__((noinline, section(".cold"))) void cold(void) { done = 1; }

__attribute__((noinline)) void between(void) {
    done = 2;
#if defined CALL
    cold();
    done = 3;
#elif defined JUMP
    cold();
#elif defined POINTER
    kept = cold;
    kept();
#endif
}

__attribute__((noinline)) void story(void) {
#if defined TABLE
    table[which & 1]();
#endif
    between();
    done = 4;
}

int main(void) {
    story();
    cold();
    return 0;
}
