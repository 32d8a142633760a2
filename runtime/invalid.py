"""What is wrong with a variable of the environment."""


class InvalidEnvironment(ValueError):
    """A variable has a value that it cannot have. Values of secrets are not shown."""

    def __init__(self, variable: str, value: str, problem: str, remedy: str) -> None:
        self.variable = variable
        self.value = value
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{variable}={value}: {problem}; {remedy}")
