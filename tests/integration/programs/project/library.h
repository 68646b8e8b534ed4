int one(int);
int two(int);
