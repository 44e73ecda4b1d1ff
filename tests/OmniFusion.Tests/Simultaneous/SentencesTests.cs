using OmniFusion.Simultaneous;

namespace OmniFusion.Tests.Simultaneous;

public sealed class SentencesTests
{
    [Theory]
    [InlineData("", "", false)]
    [InlineData("Ein Hund", "", false)]
    [InlineData("Ein Hund.", "9", true)]
    [InlineData("Ein Hund. Eine Katze", "9", false)]
    [InlineData("„Ein Hund!“ Eine Katze?! ", "11 24", true)]
    [InlineData("Es kostet 3.50 Euro. Gut", "20", false)]
    [InlineData("Er wartet ... und geht.", "23", true)]
    [InlineData("東京。大阪", "3", false)]
    public void Sentences_end_at_marks_that_no_small_letter_follows(string text, string ends, bool whole)
    {
        Assert.Equal(ends, string.Join(' ', Sentences.Ends(text)));
        Assert.Equal(whole, Sentences.IsWhole(text));
    }

    [Theory]
    [InlineData("Ein Hund bellt.", "a dog barks", "A dog barks. A cat sleeps", 3)]
    // The translation goes on, too.
    [InlineData("Ein Hund bellt. Eine", "a dog barks", "A dog barks. A cat sleeps", 3)]
    // Words that the tower writes together, or in two, or with other letters.
    [InlineData("Ein Hund bellt.", "adog barks", "A dog barks. A cat sleeps", 2)]
    [InlineData("Ein Hund bellt.", "a do g barks", "A dog barks. A cat sleeps", 4)]
    [InlineData("Ein Hund bellt.", "a dok barks", "A dog barks. A cat sleeps", 3)]
    // It spells something else, or too little behind it.
    [InlineData("Ein Hund bellt.", "two men sing", "A dog barks. A cat sleeps", 0)]
    [InlineData("Ein Hund bellt.", "", "A dog barks. A cat sleeps", 0)]
    // A full stop at the edge is a guess.
    [InlineData("Ein Hund bellt.", "a dog barks", "A dog barks. A", 0)]
    [InlineData("Ein Hund bellt.", "a dog barks", "A dog barks.", 0)]
    [InlineData("Ein Hund bellt.", "a dog barks", "A dog barks a cat sleeps", 0)]
    // Other sentences than those of the source.
    [InlineData("Ein Hund. Er bellt. Eine", "a dog barks", "A dog barks. A cat sleeps", 0)]
    [InlineData("Ein Hund bellt.", "mr smith walks", "Mr. Smith walks. He sleeps", 0)]
    [InlineData("Herr Schmidt geht nach Hause.", "mr", "Mr. Smith walks home", 0)]
    public void The_end_of_a_sentence_lies_between_two_spelled_words(string text, string spelled, string heard, int words)
    {
        string[] letters = [.. spelled.Split(' ', StringSplitOptions.RemoveEmptyEntries), "a", "cat", "sleeps"];
        Spelling spelling = new(string.Join(' ', letters), letters.Length, 0, [])
        {
            WordFrames = [.. Enumerable.Range(0, letters.Length).Select(number => (20 * number, 20 * number + 10))],
        };
        SourceEnd? end = Sentences.InSource(text, Sentences.Ends(text)[0], heard, spelling);
        Assert.Equal(words == 0 ? null : new SourceEnd("A dog barks.", 20 * words - 5), end);
        // Without times nobody knows where.
        Assert.Null(Sentences.InSource(text, Sentences.Ends(text)[0], heard, spelling with { WordFrames = [] }));
    }
}
