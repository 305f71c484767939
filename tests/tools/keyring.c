/* The session keyring: `keyring hold COMMAND…` joins a new one, puts the key "of-the-host" into it and executes COMMAND;
 * `keyring look` says whether that key is found from here, and whose the session keyring is. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SESSION -3L
enum { GET_ID = 0, JOIN = 1, SEARCH = 10, READ = 11 };

int main(int argc, char **argv)
{
	char secret[64] = "";
	long key;
	if (argc > 2 && !strcmp(argv[1], "hold")) {
		if (syscall(SYS_keyctl, JOIN, NULL) < 0 || syscall(SYS_add_key, "user", "of-the-host", "secret", 6L, SESSION) < 0) {
			perror("keyring");
			return 1;
		}
		execvp(argv[2], argv + 2);
		return 127;
	}
	key = syscall(SYS_keyctl, SEARCH, SESSION, "user", "of-the-host", 0L);
	if (key < 0) {
		printf("%s\n", errno == ENOKEY ? "no such key" : strerror(errno));
		return 0;
	}
	syscall(SYS_keyctl, READ, key, secret, sizeof secret - 1);
	printf("found: %s\n", secret);
	return 0;
}
