using OmniFusion.Checkpoints;
using OmniFusion.Models.Mistral;
using OmniFusion.Tensors;
using OmniFusion.Text;
using OmniFusion.Training.Examples;

namespace OmniFusion.Training;

/// <summary>What the teachers of a recipe, which only read, think of the translations that a fusion learns from.</summary>
internal sealed class Teaching
{
    private readonly Tokenizer _tokenizer;
    private readonly float _weight;
    private readonly MistralModel? _teacher, _toldTeacher;

    /// <summary>Opens the teachers.</summary>
    /// <param name="recipe">Names them, if there are any.</param>
    /// <param name="tokenizer">That of the translator.</param>
    /// <param name="vocabulary">The translator's tokens.</param>
    /// <exception cref="OmniFusionException">A teacher is missing or damaged, or has other tokens.</exception>
    internal Teaching(Recipe recipe, Tokenizer tokenizer, int vocabulary)
    {
        (_tokenizer, _weight) = (tokenizer, recipe.TeacherWeight);
        _teacher = recipe.Teacher is null ? null : Open(recipe.Teacher);
        _toldTeacher = recipe.ToldTeacher is null ? _teacher : Open(recipe.ToldTeacher);

        MistralModel Open(string folder)
        {
            MistralModel model = FrozenTranslator.Open(folder).Model;
            return model.VocabularySize == vocabulary && ModelFolder.Agree(folder, recipe.Translator!, "tokenizer.json") ? model
                : throw new OmniFusionException($"The teacher in {folder} has other tokens than the translator in {recipe.Translator}.");
        }
    }

    /// <summary>Adds to a loss what the teachers think of the same translations when they are told what these follow from.</summary>
    /// <param name="c">Where it is computed.</param>
    /// <param name="batch">The examples.</param>
    /// <param name="languages">The target language of each.</param>
    /// <param name="targets">The tokens of their translations.</param>
    /// <param name="logits">Scores for all these tokens [tokens, vocabulary].</param>
    /// <param name="loss">The loss so far.</param>
    /// <param name="report">Gets <c>taught_loss</c>.</param>
    internal Tensor Add(
        Compute c, Example[] batch, string[] languages, int[][] targets, Tensor logits, Tensor loss, IDictionary<string, double> report)
    {
        ILookup<MistralModel, int> taught = Enumerable.Range(0, batch.Length)
            .Where(i => batch[i].Told is not null && TeacherOf(batch[i]) is not null).ToLookup(i => TeacherOf(batch[i])!);
        if (taught.Count == 0)
            return loss;
        Segments rows = new([.. targets.Select(target => target.Length)]);
        int[] own = [.. taught.SelectMany(items => items).SelectMany(i => Enumerable.Range(rows.Start(i), rows.Length(i)))];
        Tensor theirs = c.Rent(new Shape(own.Length, logits.Columns));
        Span<float> free = theirs.Span;
        foreach (IGrouping<MistralModel, int> items in taught)
        {
            Tensor its = c.Unrecorded(() => TextPairs.Logits(c, items.Key,
                [.. items.Select(i => new TextPairs.Pair(TextPairs.Prompt(_tokenizer, batch[i].Told!, languages[i]), targets[i]))], out _));
            its.Span.CopyTo(free);
            free = free[its.Span.Length..];
        }
        Tensor distilled = c.Distil(c.Gather(logits, own), theirs);
        report.TallyLoss("taught", distilled);
        return c.Add(loss, distilled, _weight);
    }

    private MistralModel? TeacherOf(Example example) => example.Seen is null ? _teacher : _toldTeacher;
}
